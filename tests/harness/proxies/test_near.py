"""NEAR equals a sum of effective ranks that numpy finds, of blocks cut out by hand."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.near import near
from harness.testing.proxy.networks import FunctionalOnly


@pytest.fixture
def starts(monkeypatch):
    """What is drawn as the place where a block starts, with the number of places there are."""
    kept, randint = [], torch.randint
    monkeypatch.setattr(torch, "randint", lambda n, size: kept.append((n, randint(n, size))) or kept[-1][1])
    return kept


def effective_rank(matrix):
    values = np.linalg.svd(matrix, compute_uv=False)
    if values.sum() == 0:
        return 0.0
    shares = values / values.sum()
    return np.exp(-sum(p * np.log(p) for p in shares if p > 0))


def first_outputs(network, images):
    """The first output of each module with a weight and of each activation function, in the order of the calls."""
    network, found = copy.deepcopy(network), {}

    def after(part, _, output):
        found.setdefault(part, output.detach().numpy().copy())

    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        if isinstance(part, nn.ReLU | nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            part.register_forward_hook(after)
    order = images.flatten(1).norm(dim=1).argsort()
    network(images[order].clone())
    return list(found.values())


def rows_of(output):
    """One row of channels for each image, column of pixels and pixel, in this order; and the unit of a start."""
    if output.ndim == 2:
        return output, output.shape[1]
    n, _, h, w = output.shape
    return np.array([output[i, :, y, x] for i in range(n) for x in range(w) for y in range(h)]), w


def test_it_sums_the_effective_ranks_of_square_blocks(network, batches, starts):
    if isinstance(network, FunctionalOnly):
        with pytest.raises(
            NotApplicableError, match="activation function that is not a registered module: relu in Func"
        ):
            near(Probe(network, batches))
        return
    score, expected, places = near(Probe(network, batches)), 0.0, iter(starts)
    for output in first_outputs(network, batches[0].images):
        rows, unit = rows_of(output)
        channels, start = rows.shape[1], 0
        if len(rows) >= channels and len(rows) // unit - 1 > 0:
            count, drawn = next(places)
            assert count == len(rows) // unit - 1
            start = int(drawn) * unit
        expected += effective_rank(rows[start : start + channels])
    assert next(places, None) is None
    assert score == pytest.approx(expected, rel=1e-9)


def test_it_lies_between_one_and_the_number_of_channels_for_each_module(named_network, batches):
    network = named_network("grouped")
    widths = [8, 8, 6, 6, 8, 8, 8, 6, 10]  # convolutions, norms, ReLUs, classifier
    assert len(widths) <= near(Probe(network, batches)) <= sum(widths)


def test_the_scale_of_a_layer_does_not_matter(named_network, batches):
    network = named_network("linear only")
    scaled = copy.deepcopy(network)
    with torch.no_grad():
        scaled[1].weight *= 3
        scaled[1].bias *= 3
        scaled[3].weight /= 3
    assert near(Probe(scaled, batches)) == pytest.approx(near(Probe(network, batches)), rel=1e-9)


def test_a_layer_of_rank_one_counts_one(batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 6, bias=False)).double()
    with torch.no_grad():
        network[1].weight.copy_(torch.ones(6, 1) * torch.randn(1, 192, generator=torch.Generator().manual_seed(0)))
    assert near(Probe(network, batches)) == pytest.approx(1, rel=1e-6)


def test_zeros_count_nothing(batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 6, bias=False)).double()
    nn.init.zeros_(network[1].weight)
    assert near(Probe(network, batches)) == 0


def test_tokens_have_their_channels_last():
    network = nn.Linear(4, 5).double()
    images = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(x)

    score = near(Probe(Tokens(), [Batch(images, torch.zeros(3, dtype=torch.int64))]))
    assert 1 <= score <= 6
    assert near(Probe(network, [Batch(images[:, 0], torch.zeros(3, dtype=torch.int64))])) <= 3


def test_the_seed_draws_where_blocks_start(named_network, batches):
    network = named_network("mixed")
    assert near(Probe(network, batches, seed=1)) != near(Probe(network, batches, seed=2))


def test_a_network_without_such_modules_is_skipped(batches):
    with pytest.raises(NotApplicableError, match="activation functions"):
        near(Probe(nn.Flatten(), batches))
