"""The parts of AZ-NAS equal their definitions, computed block by block with numpy from what was drawn."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import az_nas
from harness.proxies.az_nas import az_expressivity, az_progressivity, az_trainability

PARTS = [az_expressivity, az_progressivity, az_trainability]
WITH_BLOCKS = ["convolutions", "mixed", "with a dead end"]


@pytest.fixture
def drawn(monkeypatch):
    """The network, images and signs that the proxies draw, as they are drawn."""
    kept = {"signs": []}
    kaiming_copy, gaussian_images, randint = az_nas.kaiming_copy, az_nas.gaussian_images, torch.randint

    def keep(name, value):
        kept[name] = value if name == "images" else copy.deepcopy(value)
        return value

    monkeypatch.setattr(az_nas, "kaiming_copy", lambda probe: keep("network", kaiming_copy(probe)))
    monkeypatch.setattr(az_nas, "gaussian_images", lambda probe, count: keep("images", gaussian_images(probe, count)))
    monkeypatch.setattr(torch, "randint", lambda *args: kept["signs"].append(randint(*args)) or kept["signs"][-1])
    return kept


def spectral_entropy(feature):
    channels = np.moveaxis(feature.detach().numpy(), 1, 0)
    values = np.linalg.eigvalsh(np.cov(channels.reshape(len(channels), -1), bias=True))
    shares = values / values.sum()
    return -sum(p * math.log(p + 1e-8) for p in shares)


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_expressivity_and_progressivity_are_sum_and_least_step_of_the_blocks_entropies(
    name, named_network, batches, drawn
):
    probe = Probe(named_network(name), batches)
    expressivity, progressivity = az_expressivity(probe), az_progressivity(probe)
    assert drawn["images"].shape == (64, 3, 8, 8)
    network = drawn["network"]
    features = [network.stem(drawn["images"])]
    for block in network.blocks:
        features.append(block(features[-1]))
    entropies = [spectral_entropy(feature) for feature in features]
    assert expressivity == pytest.approx(sum(entropies), rel=1e-9)
    assert progressivity == pytest.approx(min(b - a for a, b in pairwise(entropies)), rel=1e-7)


def keeping(block, entering, signs):
    """2 − σ − 1 / (σ + 1e-6), the matrix summed position by position."""
    entering = entering.detach().requires_grad_(True)
    (passed,) = torch.autograd.grad(block(entering), entering, signs)
    stride = passed.shape[2] // signs.shape[2]
    total = 0
    for n in range(len(signs)):
        for i in range(signs.shape[2]):
            for j in range(signs.shape[3]):
                window = passed[n, :, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].flatten()
                total = total + torch.outer(window, signs[n, :, i, j])
    positions = len(signs) * signs.shape[2] * signs.shape[3]
    largest = np.linalg.norm((total / positions).numpy(), 2)
    return 2 - largest - 1 / (largest + 1e-6)


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_trainability_is_the_mean_over_blocks_of_how_they_keep_a_gradient(name, named_network, batches, drawn):
    score = az_trainability(Probe(named_network(name), batches))
    network, terms = drawn["network"], []
    feature = network.stem(drawn["images"])
    for block, bits in zip(network.blocks, drawn["signs"], strict=True):
        terms.append(keeping(block, feature, bits * 2.0 - 1))
        feature = block(feature).detach()
    assert score == pytest.approx(np.mean(terms), rel=1e-8)


@pytest.mark.parametrize("part", PARTS)
def test_weights_of_the_network_do_not_matter(part, named_network, batches):
    assert part(Probe(named_network("mixed"), batches)) == part(Probe(named_network("mixed", seed=1), batches))


@pytest.mark.parametrize("part", PARTS)
def test_float32_is_accurate(part, named_network, batches):
    network = named_network("mixed")
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert part(single) == pytest.approx(part(Probe(network, batches)), rel=1e-3)


@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_blocks_that_give_zeros_are_the_worst_and_keep_no_gradient(name, named_network, batches):
    probe = Probe(named_network(name), batches)
    assert az_expressivity(probe) == az_progressivity(probe) == -math.inf
    assert az_trainability(probe) < -100_000


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor, dtype=torch.float64))

    def forward(self, x):
        return x * self.factor


class Blocks(nn.Module):
    """A network of given blocks, whose stem passes the images on."""

    def __init__(self, *blocks):
        super().__init__()
        self.stem = Scale(1.0)
        self.blocks = nn.ModuleList(blocks)

    def forward_blocks(self, images):
        features = [self.stem(images)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features


def test_a_block_that_is_the_identity_counts_minus_infinity(batches):
    assert az_trainability(Probe(Blocks(Scale(2.0), Scale(1.0)), batches)) == -math.inf


@pytest.mark.parametrize("factor", [0.5, 1.5, 3.0])
def test_a_block_that_scales_by_hand(factor, batches):
    # The mean of g_in g_outᵀ is the factor times that of g gᵀ, whose σ is 1 and a little for three channels.
    probe = Probe(Blocks(Scale(factor)), batches)
    torch.manual_seed(0)
    sigma = (2 - az_trainability(probe)) / factor  # σ + 1/σ, over the factor
    largest = factor * np.linspace(1, 1.1, 2001)
    assert np.abs((largest + 1 / (largest + 1e-6)) / factor - sigma).min() < 1e-3


def test_the_spectrum_of_noise_is_flat(batches):
    score = az_expressivity(Probe(Blocks(Scale(7.0)), batches))
    assert score == pytest.approx(2 * math.log(3), rel=1e-3)


@pytest.mark.parametrize("part", PARTS)
def test_a_network_without_blocks_is_skipped(part, named_network, batches):
    with pytest.raises(NotApplicableError, match="forward_blocks"):
        part(Probe(named_network("grouped"), batches))


def test_resolutions_that_do_not_fit_are_skipped(batches):
    with pytest.raises(NotApplicableError, match=r"\(8, 8\) to \(6, 6\)"):
        az_trainability(Probe(Blocks(nn.AvgPool2d(3, stride=1)), batches))
