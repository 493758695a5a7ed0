"""The baseline of chance is another number for each network, and the same for each again."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, spearmanr
from torch import nn

from harness.probe import Probe
from harness.proxies.chance import random


def network(seed, width=5):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, width, 3, bias=False), nn.Flatten(), nn.Linear(width, 2))


def test_over_networks_it_is_uniform_and_without_order():
    scores = [random(Probe(network(seed), [])) for seed in range(400)]
    assert len(set(scores)) == 400
    assert kstest(scores, "uniform").pvalue > 0.001
    assert abs(spearmanr(range(400), scores).statistic) < 0.17


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), other=st.integers(0, 10**6))
def test_it_is_fixed_by_the_weights_and_not_by_the_seed_of_the_proxies(seed, other):
    first = random(Probe(network(seed), [], seed=0))
    assert 0 <= first < 1
    assert random(Probe(network(seed), [], seed=other)) == first
    assert (random(Probe(network(other), [])) == first) == (other == seed)


@pytest.mark.parametrize("change", [lambda w: w * (1 + 1e-7), lambda w: w.double(), lambda w: 3 * w])
def test_the_last_bit_of_a_weight_does_not_matter(change):
    changed = copy.deepcopy(network(0))
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.data = change(parameter.data)
    assert random(Probe(changed, [])) == random(Probe(network(0), []))


def test_neither_does_the_layout_of_memory():
    apart = network(0).to(memory_format=torch.channels_last)
    assert random(Probe(apart, [])) == random(Probe(network(0), []))


def test_small_layers_are_read_together_up_to_64_weights():
    small = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 30))
    before = random(Probe(small, []))
    with torch.no_grad():
        small[1].weight.view(-1)[55:] *= -1
    assert random(Probe(small, [])) == before
    with torch.no_grad():
        small[1].weight.view(-1)[54] *= -1
    assert random(Probe(small, [])) != before


def test_a_network_without_weights_has_a_number_too():
    assert 0 <= random(Probe(nn.Flatten(), [])) < 1
