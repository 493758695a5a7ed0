"""The entropy is the logarithm of the deviation that Gaussian weights give a linear network."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.entropy import entropy

WITH_FEATURES = ["convolutions", "mixed", "with a dead end", "grouped", "all skip", "all pool"]


def entropy_by_definition(network, shape, seed):
    """Batch norms and ReLUs pass their input on by a forward hook; the deviation is numpy's."""
    network = copy.deepcopy(network).double()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = torch.randn(module.weight.shape, generator=generator).double()
            if module.bias is not None:
                module.bias.data.zero_()
        if isinstance(module, nn.BatchNorm2d | nn.ReLU):
            module.register_forward_hook(lambda _, inputs, output: inputs[0])
    features = network.forward_features(torch.randn(shape, generator=generator).double()).detach().numpy()
    return math.log(np.std(features, ddof=1)) + math.log(features.shape[1])


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", WITH_FEATURES)
def test_it_equals_its_definition(name, seed, named_network, batches):
    network = named_network(name)
    expected = entropy_by_definition(network, batches[0].images.shape, seed)
    assert entropy(Probe(network, batches, seed=seed)) == pytest.approx(expected, rel=1e-12)


class Chain(nn.Module):
    """Convolutions that keep the size, each followed by batch norm and ReLU."""

    def __init__(self, widths, kernel):
        super().__init__()
        layers = []
        for a, b in itertools.pairwise(widths):
            convolution = nn.Conv2d(a, b, kernel, padding=kernel // 2, padding_mode="circular", bias=False)
            layers += [convolution, nn.BatchNorm2d(b), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward_features(self, images):
        return self.layers(images)


def batch_of(channels):
    return [Batch(torch.zeros(8, channels, 6, 6), torch.zeros(8, dtype=torch.int64))]


@settings(deadline=None, max_examples=15)
@given(widths=st.lists(st.sampled_from([24, 32, 48]), min_size=2, max_size=5), kernel=st.sampled_from([1, 3]))
def test_of_a_wide_chain_it_is_near_the_closed_form_of_the_later_official_code(widths, kernel):
    closed = sum(math.log(math.sqrt(width * kernel**2)) for width in widths[:-1]) + math.log(widths[-1])
    assert entropy(Probe(Chain(widths, kernel), batch_of(widths[0]))) == pytest.approx(closed, abs=0.35)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_deviation_adds_up_over_blocks_that_are_rescaled_one_by_one(seed):
    network, score = Chain([6, 5, 7, 4], 3), 0.0
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(m.weight.shape, generator=generator) for m in network.modules() if isinstance(m, nn.Conv2d)]
    output = torch.randn(8, 6, 6, 6, generator=generator).double()
    for weight in weights:
        output = nn.functional.conv2d(nn.functional.pad(output, (1, 1, 1, 1), mode="circular"), weight.double())
        score += math.log(output.std())
        output = output / output.std()
    assert entropy(Probe(network, batch_of(6), seed=seed)) == pytest.approx(score + math.log(4), rel=1e-10)


def test_deep_networks_do_not_overflow():
    deep = Chain([64] * 81, 3)
    score = entropy(Probe(deep, batch_of(64)))
    # 80 layers of 576 weights per output: e^254 is far beyond float32.
    assert 80 * math.log(24) < score < 80 * math.log(24) + 10


@pytest.mark.parametrize("name", ["mixed", "grouped"])
def test_weights_statistics_and_images_of_the_run_do_not_matter(name, named_network, batches):
    network = named_network(name)
    expected = entropy(Probe(network, batches))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
    assert entropy(Probe(network, [batches[1]])) == expected
    assert entropy(Probe(named_network(name, seed=1), batches)) == expected
    assert entropy(Probe(network, batches, seed=1)) != expected


@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_where_nothing_arrives_it_is_minus_infinity(name, named_network, batches):
    assert entropy(Probe(named_network(name), batches)) == -math.inf


@pytest.mark.parametrize("name", ["linear only", "plain convolutions"])
def test_a_network_without_a_feature_map_is_skipped(name, named_network, batches):
    with pytest.raises(NotApplicableError, match="forward_features"):
        entropy(Probe(named_network(name), batches))
