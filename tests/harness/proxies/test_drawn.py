"""What proxies draw and choose: shapes, distributions, and what it does not depend on."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import Probe
from harness.proxies._drawn import by_norm, gaussian_draws, gaussian_images, kaiming_copy, typical_images


@pytest.fixture
def tiled():
    images = torch.zeros(2, 9, 3, 40, 40, dtype=torch.float64)
    return Probe(nn.Identity(), [Batch(images, torch.zeros(2, dtype=torch.int64))])


def test_noise_is_standard_normal_in_the_shape_and_precision_of_the_images(tiled):
    torch.manual_seed(0)
    noise = gaussian_images(tiled, 4)
    assert noise.shape == (4, 9, 3, 40, 40) and noise.dtype == torch.float64
    assert noise.mean().abs() < 0.01 and (noise.std() - 1).abs() < 0.01


def test_noise_is_the_same_in_every_precision(tiled):
    single = Probe(nn.Identity(), [Batch(tiled.batch().images.float(), tiled.batch().labels)])
    drawn = []
    for probe in (tiled, single):
        torch.manual_seed(5)
        drawn.append(gaussian_images(probe, 3))
    assert torch.equal(drawn[0].float(), drawn[1])


class Mixed(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(64, 300, 3, groups=2), nn.BatchNorm2d(300), nn.GroupNorm(3, 300), nn.Linear(900, 80))
        for parameter in self.parameters():
            nn.init.constant_(parameter, 7.0)


@pytest.mark.parametrize(
    ("draw", "deviations"),
    [(kaiming_copy, ((2 / 288) ** 0.5, (2 / 900) ** 0.5)), (lambda probe: next(gaussian_draws(probe, 1)), (1, 1))],
)
def test_weights_have_their_variance_biases_are_zero_and_norms_neutral(draw, deviations, batches):
    torch.manual_seed(0)
    convolution, batch_norm, group_norm, linear = draw(Probe(Mixed(), batches))
    for layer, deviation in zip((convolution, linear), deviations, strict=True):
        assert layer.weight.std().item() == pytest.approx(deviation, rel=0.02)
        assert abs(layer.weight.mean().item()) < 0.02 * deviation
        assert not layer.bias.any()
    for norm in (batch_norm, group_norm):
        assert (norm.weight == 1).all() and not norm.bias.any()


def test_the_network_itself_keeps_its_weights(batches):
    network = Mixed()
    kaiming_copy(Probe(network, batches))
    assert all((parameter == 7).all() for parameter in network.parameters())


def test_draws_are_as_many_as_asked_for_and_differ(batches):
    weights = [network[0].weight.clone() for network in gaussian_draws(Probe(Mixed(), batches), 3)]
    assert len(weights) == 3
    assert not any(torch.equal(weights[a], weights[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 12), count=st.integers(1, 16), seed=st.integers(0, 99))
def test_typical_images_do_not_depend_on_the_order_and_are_spread_over_the_norms(size, count, seed):
    images = torch.randn(size, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    shuffled = images[torch.randperm(size, generator=torch.Generator().manual_seed(seed))]
    chosen, again = (typical_images(Probe(nn.Identity(), [Batch(i, i)]), count) for i in (images, shuffled))
    assert torch.equal(chosen, again)
    norms = images.flatten(1).norm(dim=1).sort().values
    ranks = [int((norms - image.norm()).abs().argmin()) for image in chosen]
    assert len(ranks) == min(size, count)
    assert ranks == sorted(set(ranks))  # none twice
    gaps = torch.tensor([-ranks[0] - 1, *ranks, 2 * size - ranks[-1] - 1]).diff()
    assert gaps.max() - gaps.min() <= 2


def test_one_typical_image_is_that_of_median_norm():
    images = torch.tensor([5.0, -1.0, 3.0, 2.0, -4.0]).reshape(5, 1, 1, 1)
    assert typical_images(Probe(nn.Identity(), [Batch(images, images)]), 1).item() == 3
    assert by_norm(images).flatten().tolist() == [-1, 2, 3, -4, 5]
