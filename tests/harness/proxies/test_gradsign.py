"""GradSign equals the official loop over images, each in a mini-batch of its own."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.gradsign import gradsign, gradsign_mean


def codes_by_loop(network, batch):
    """|Σ_i sign g_k(x_i)| of every weight k."""
    rows = []
    for image, label in zip(batch.images, batch.labels, strict=True):
        network = copy.deepcopy(network)
        network.zero_grad()
        F.cross_entropy(network(image[None]), label[None]).backward()
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        grads = [m.weight.grad if m.weight.grad is not None else torch.zeros_like(m.weight) for m in layers]
        rows.append(np.concatenate([grad.numpy().ravel() for grad in grads]))
    return np.abs(np.sign(np.stack(rows)).sum(axis=0))


def test_gradsign_is_the_sum_and_gradsign_mean_the_mean(probe, network, batches):
    codes = codes_by_loop(network, batches[0])
    assert gradsign(probe) == np.nansum(codes)
    assert gradsign_mean(probe) == pytest.approx(np.nanmean(codes), rel=1e-12)


def test_it_is_at_most_the_images_times_the_weights_and_reached_by_copies_of_one_image(named_network, batches):
    image, label = batches[0].images[:1], batches[0].labels[:1]
    copies = Batch(image.expand(6, -1, -1, -1).clone(), label.expand(6).clone())
    network = named_network("linear only")
    weights = int((codes_by_loop(network, Batch(image, label)) > 0).sum())
    assert gradsign(Probe(network, [copies])) == 6 * weights


@settings(deadline=None, max_examples=10)
@given(order=st.permutations(range(8)))
def test_the_order_of_images_does_not_matter(mixed_network, batches, order):
    batch = batches[0]
    other = Batch(batch.images[list(order)], batch.labels[list(order)])
    assert gradsign(Probe(mixed_network, [other])) == gradsign(Probe(mixed_network, [batch]))


def test_nothing_where_no_image_arrives(named_network, batches):
    probe = Probe(named_network("all none"), batches)
    assert gradsign(probe) == 0 and gradsign_mean(probe) == 0


def test_a_weight_with_an_undefined_gradient_is_left_out(batches):
    class Square(nn.Module):
        """The square root's slope at zero is not finite."""

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(192, 10, bias=False), nn.Linear(192, 10, bias=False)

        def forward(self, images):
            flat = images.flatten(1)
            return self.first(flat) + (self.second(flat) * 0).abs().sqrt() * 0

    network = Square().double()
    codes = codes_by_loop(network, batches[0])
    assert np.isnan(codes).sum() == 1920 and len(codes) == 3840
    probe = Probe(network, batches)
    assert gradsign(probe) == np.nansum(codes)
    assert gradsign_mean(probe) == pytest.approx(np.nanmean(codes), rel=1e-12)


def test_not_applicable_where_batch_norm_gets_one_value_of_an_image():
    network = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3)).double()
    batch = Batch(torch.randn(4, 3, 8, 8, dtype=torch.float64), torch.tensor([0, 1, 2, 0]))
    with pytest.raises(NotApplicableError, match="single value"):
        gradsign(Probe(network, [batch]))


def test_float32_is_accurate(named_network, batches):
    network = named_network("mixed")
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert math.isclose(gradsign(single), gradsign(Probe(network, batches)), rel_tol=1e-2)


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")
