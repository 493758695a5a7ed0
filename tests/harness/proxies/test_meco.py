"""MeCo equals the smallest eigenvalues that numpy finds, module by module."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import meco as module
from harness.proxies.meco import meco, meco_image, meco_layers, meco_opt

NOISE = [meco, meco_layers, meco_opt]


@pytest.fixture
def image(monkeypatch):
    """The image of noise that is drawn."""
    kept = []
    original = module.gaussian_images
    monkeypatch.setattr(module, "gaussian_images", lambda *args: kept.append(original(*args)) or kept[-1])
    return kept


def outputs_of(network, image, kinds=nn.Module):
    """What each call of a module gives for the image, as arrays (channels, positions)."""
    network, found = copy.deepcopy(network), []
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        if isinstance(part, kinds):
            part.register_forward_hook(lambda _, __, output: found.append(output[0].detach().clone()))
    network(image.clone())
    return [output.reshape(len(output), -1).numpy() for output in found]


def smallest(features):
    if features.shape[1] == 1:
        return 0.0
    with np.errstate(all="ignore"):
        correlation = np.atleast_2d(np.corrcoef(features))
    return np.linalg.eigvals(np.nan_to_num(correlation)).real.min()


def test_meco_sums_over_every_call_of_every_module(network, batches, image):
    score = meco(Probe(network, batches))
    assert image[0].shape == (1, 3, 8, 8)
    expected = sum(smallest(features) for features in outputs_of(network, image[0]))
    assert score == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_meco_layers_sums_over_convolutions(named_network, batches, image):
    for name in ("mixed", "grouped", "plain convolutions"):
        network = named_network(name)
        score = meco_layers(Probe(network, batches))
        expected = sum(smallest(features) for features in outputs_of(network, image[-1], nn.Conv2d))
        assert score == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_meco_image_looks_at_the_image_of_median_norm(network, batches):
    order = batches[0].images.flatten(1).norm(dim=1).argsort()
    median = batches[0].images[order[4]][None]
    expected = sum(smallest(features) for features in outputs_of(network, median))
    assert meco_image(Probe(network, batches)) == pytest.approx(expected, rel=1e-8, abs=1e-10)


class Wide(nn.Module):
    """Two convolutions with more than eight channels."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 12, 3), nn.Conv2d(12, 20, 3)

    def forward(self, images):
        return self.second(self.first(images))


def test_meco_opt_takes_eight_channels_and_weights_them(batches, image, monkeypatch):
    network, chosen, randperm = Wide().double(), [], torch.randperm
    monkeypatch.setattr(torch, "randperm", lambda n: chosen.append(randperm(n)) or chosen[-1])
    score = meco_opt(Probe(network, batches))
    features = outputs_of(network, image[0])
    assert [len(f) for f in features] == [12, 20, 20]
    expected = sum(smallest(f[c[:8].numpy()]) * len(f) / 8 for f, c in zip(features, chosen, strict=True))
    assert score == pytest.approx(expected, rel=1e-8)
    assert not torch.equal(chosen[1], chosen[2])  # the same map, returned by the layer and by the network


def test_up_to_eight_channels_meco_opt_takes_all(named_network, batches):
    probe = Probe(named_network("plain convolutions").append(nn.Linear(10, 2)).double(), batches)
    assert meco_opt(probe) == pytest.approx(meco(probe), rel=1e-9)


def test_the_scale_of_a_feature_map_and_the_order_of_channels_do_not_matter(batches):
    network, changed = Wide().double(), Wide().double()
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        changed.load_state_dict(network.state_dict())
        changed.second.weight.copy_(network.second.weight[order] * 5)
        changed.second.bias.copy_(network.second.bias[order] * 5 + 2)
    assert meco(Probe(changed, batches)) == pytest.approx(meco(Probe(network, batches)), rel=1e-8)


def test_containers_count_the_maps_that_they_return_again(named_network, batches):
    network = named_network("plain convolutions")
    nested = nn.Sequential(nn.Sequential(nn.Sequential(network[0])), *list(network)[1:])
    alone = smallest(outputs_of(network, module_noise(network, batches))[0])
    difference = meco(Probe(nested, batches)) - meco(Probe(network, batches))
    assert difference == pytest.approx(2 * alone, rel=1e-8)
    assert meco_layers(Probe(nested, batches)) == pytest.approx(meco_layers(Probe(network, batches)), rel=1e-12)


def module_noise(network, batches):
    kept, original = [], module.gaussian_images
    module.gaussian_images = lambda *args: kept.append(original(*args)) or kept[-1]
    try:
        meco(Probe(network, batches))
    finally:
        module.gaussian_images = original
    return kept[0]


def test_nothing_but_zeros_adds_nothing(named_network, batches):
    class Nothing(nn.Module):
        def forward(self, images):
            return torch.zeros_like(images)

    assert meco(Probe(Nothing(), batches)) == 0


def test_independent_channels_score_one_for_each_map():
    class Orthogonal(nn.Module):
        def forward(self, images):
            return torch.tensor([[[1.0, -1, 1, -1]], [[1, 1, -1, -1]]], dtype=torch.float64)[None]

    batch = Batch(torch.zeros(1, 3, 2, 2, dtype=torch.float64), torch.zeros(1, dtype=torch.int64))
    assert meco(Probe(Orthogonal(), [batch])) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("proxy", NOISE)
def test_float32_is_accurate(proxy, named_network, batches):
    network = named_network("mixed")
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert proxy(single) == pytest.approx(proxy(Probe(network, batches)), rel=1e-4)


def test_a_batch_norm_of_a_single_value_is_skipped(batches):
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3)).double()
    with pytest.raises(NotApplicableError, match="single value"):
        meco(Probe(network, batches))


def test_without_convolutions_there_are_no_layers_to_sum_over(named_network, batches):
    with pytest.raises(NotApplicableError, match="no convolutions"):
        meco_layers(Probe(named_network("linear only"), batches))
