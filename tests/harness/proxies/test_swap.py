"""SWAP equals the number of distinct tuples of signs, counted in a Python set."""

import math

import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import swap as module
from harness.proxies.swap import regularised_swap, swap, swap_transformers

WITH_RELU = ["convolutions", "mixed", "with a dead end", "grouped", "plain convolutions"]


@pytest.fixture
def few_repeats(monkeypatch):
    monkeypatch.setattr(module, "REPEATS", 3)


@pytest.fixture
def drawn(monkeypatch, few_repeats):
    """The networks that are drawn."""
    kept = []
    original = module.gaussian_draws

    def keep(probe, count):
        for network in original(probe, count):
            kept.append(Probe(network, []).copy())
            yield network

    monkeypatch.setattr(module, "gaussian_draws", keep)
    return kept


def distinct_patterns(network, images):
    patterns = set()
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
            part.register_forward_hook(lambda _, __, out: patterns.update(map(tuple, out.flatten(1).sign().T.tolist())))
    network(images.clone())
    return len(patterns)


@pytest.mark.parametrize("name", WITH_RELU)
def test_it_counts_distinct_patterns_and_averages_over_draws(name, named_network, batches, drawn):
    score = swap(Probe(named_network(name), batches))
    assert len(drawn) == 3
    assert score == sum(distinct_patterns(network, batches[0].images) for network in drawn) / 3


def test_sixteen_images_are_taken_of_a_larger_batch(named_network, drawn):
    images = torch.randn(50, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    score = swap(Probe(named_network("mixed"), [Batch(images, torch.zeros(50, dtype=torch.int64))]))
    order = images.flatten(1).norm(dim=1).argsort()
    taken = images[order[[(2 * i + 1) * 50 // 32 for i in range(16)]]]
    assert score == sum(distinct_patterns(network, taken) for network in drawn) / 3


def test_it_is_at_most_the_number_of_patterns_there_can_be(named_network, batches, few_repeats):
    for size in (1, 3):
        batch = Batch(batches[0].images[:size], batches[0].labels[:size])
        assert 1 <= swap(Probe(named_network("convolutions"), [batch])) <= 2**size


def test_weights_of_the_network_do_not_matter(named_network, batches, few_repeats):
    assert swap(Probe(named_network("mixed"), batches)) == swap(Probe(named_network("mixed", seed=1), batches))


def test_a_unit_that_never_varies_adds_one_pattern(few_repeats):
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, images):
            return self.relu(torch.ones_like(images)) + self.relu(-torch.ones_like(images))

    images = torch.randn(5, 3, 4, 4)
    assert swap(Probe(Constant(), [Batch(images, torch.zeros(5, dtype=torch.int64))])) == 2


@pytest.mark.parametrize("name", ["linear only", "without relu modules"])
def test_without_relus_that_see_feature_maps_it_is_skipped(name, named_network, batches, few_repeats):
    with pytest.raises(NotApplicableError, match="ReLU"):
        swap(Probe(named_network(name), batches))


def test_the_regularised_score_is_damped_by_the_distance_to_the_wanted_size(named_network, batches, few_repeats):
    network = named_network("mixed")
    thousands = sum(p.numel() for p in network.parameters()) / 1000
    probe = Probe(network, batches)
    assert regularised_swap(probe, mu=thousands, sigma=1e-9) == swap(probe)
    assert regularised_swap(probe, mu=thousands + 3, sigma=5) == pytest.approx(
        swap(probe) * math.exp(-9 / 5), rel=1e-12
    )
    assert regularised_swap(probe, mu=thousands - 3, sigma=5) == pytest.approx(
        swap(probe) * math.exp(-9 / 5), rel=1e-12
    )


class Tokens(nn.Module):
    """GELU, SiLU and ReLU on tokens and on a vector; what is no unit of the authors beside them."""

    def __init__(self):
        super().__init__()
        self.first, self.gelu, self.second, self.silu = nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 5), nn.SiLU()
        self.other, self.third, self.relu, self.head = nn.Hardswish(), nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)

    def forward(self, x):
        x = self.other(self.silu(self.second(self.gelu(self.first(x)))))
        return self.head(self.relu(self.third(x.mean(dim=1))))


@pytest.mark.parametrize("size", [3, 50])
def test_of_transformers_it_counts_signs_of_outputs_with_the_networks_own_weights(size):
    torch.manual_seed(0)
    # Far negative inputs of GELU and SiLU are rounded to zero, which is a sign of its own.
    network, images = Tokens(), torch.randn(size, 2, 4) * 200
    patterns, signs = set(), set()

    def after(_, __, output):
        found = output.flatten(1).sign().T
        patterns.update(map(tuple, found.tolist()))
        signs.update(found.flatten().tolist())

    hooks = [unit.register_forward_hook(after) for unit in (network.gelu, network.silu, network.relu)]
    network(images)
    for hook in hooks:
        hook.remove()
    assert signs == {-1.0, 0.0, 1.0}
    assert swap_transformers(Probe(network, [Batch(images, torch.zeros(size, dtype=torch.int64))])) == len(patterns)


@pytest.mark.parametrize("name", WITH_RELU)
def test_of_relus_the_signs_of_outputs_are_the_activation_pattern(name, named_network, batches):
    network = named_network(name)
    expected = distinct_patterns(Probe(network, []).copy(), batches[0].images)
    assert swap_transformers(Probe(network, batches)) == expected


def test_of_transformers_it_is_skipped_without_their_units(batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Hardswish(), nn.Linear(4, 3)).double()
    with pytest.raises(NotApplicableError, match="no ReLU, GELU or SiLU modules"):
        swap_transformers(Probe(network, batches))
