"""WRCor equals a sum of correlation matrices that numpy makes of what loops and hooks gather, layer by layer."""

import copy
import math

import numpy as np
import pytest
import torch
from harness_benchmarks.nb201.cells import CellNetwork, ReLUConvBN
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.wrcor import wrcor, wrcor_activations, wrcor_gradients, wrcor_unweighted

PROXIES = [wrcor, wrcor_unweighted, wrcor_activations, wrcor_gradients]
CELLS = ["convolutions", "mixed", "with a dead end", "all skip", "unconnected"]


def magnitudes(rows):
    rows = rows.detach().flatten(1).numpy()
    if any(row.std() == 0 for row in rows):
        return np.zeros((len(rows), len(rows)))
    return abs(np.corrcoef(rows))


def score(kernel):
    return np.linalg.slogdet(kernel)[1]


class Reference:
    """The sums of one cell network, whose passes are made by hand: no hook, each ReLU with an input of its own."""

    def __init__(self, network, batch):
        self.act, self.grad, self.kernel = 0.0, 0.0, 0.0
        self.responses = []  # (weight, what counts as activation, where the gradient is taken)
        value = self.passed(network.stem, batch.images, 0)
        for place, block in enumerate(network.blocks):
            value = self.passed(block, value, 2**place)
        norm, _ = network.last
        value = self.leaf(norm(value), 2 ** len(network.blocks), after=True)
        loss = F.cross_entropy(network.classifier(network.pool(value).flatten(1)), batch.labels)
        for weight, activation, point in self.responses:
            self.act = self.act + magnitudes(activation)
            self.kernel = self.kernel + weight * magnitudes(activation)
            if point.requires_grad:
                options = {"retain_graph": True, "allow_unused": True, "materialize_grads": True}
                (gradient,) = torch.autograd.grad(loss, [point], **options)
                self.grad = self.grad + magnitudes(gradient)
                self.kernel = self.kernel + weight * magnitudes(gradient)

    def leaf(self, value, weight, after=False):
        point = value + 0
        output = F.relu(point)
        self.responses.append((weight, output if after else value, point))
        return output

    def passed(self, module, value, weight):
        if isinstance(module, ReLUConvBN):
            point = module[1](self.leaf(value, weight)) + 0
            self.responses.append((weight, value, point))  # the block's own response
            return module[2](point)
        if hasattr(module, "conv_a"):
            inner = self.passed(module.conv_b, self.passed(module.conv_a, value, weight), weight)
            return module.shortcut(value) + inner
        if hasattr(module, "operations"):
            nodes, edges = [value], iter(module.operations)
            for target in range(1, 4):
                parts = [self.passed(next(edges), nodes[source], weight) for source in range(target)]
                nodes.append(sum(parts))
            return nodes[-1]
        return module(value)


@pytest.mark.parametrize("name", CELLS)
def test_they_are_log_determinants_of_summed_correlations(name, named_network, batches):
    network = named_network(name)
    reference, probe = Reference(copy.deepcopy(network), batches[0]), Probe(network, batches)
    assert wrcor(probe) == pytest.approx(score(reference.kernel), rel=1e-9)
    assert wrcor_unweighted(probe) == pytest.approx(score(reference.act + reference.grad), rel=1e-9)
    assert wrcor_activations(probe) == pytest.approx(score(reference.act), rel=1e-9)
    assert wrcor_gradients(probe) == pytest.approx(score(reference.grad), rel=1e-9)


def test_float32_gives_the_same_score(named_network, batches):
    network, single = named_network("mixed"), Batch(batches[0].images.float(), batches[0].labels)
    for proxy in PROXIES:
        assert proxy(Probe(copy.deepcopy(network).float(), [single])) == pytest.approx(
            proxy(Probe(network, batches)), rel=1e-4
        )


class Plain(nn.Module):
    """Blocks without names for ReLUs, between ReLUs of no block; one ReLU is in place, one input is changed after."""

    def __init__(self, name="cells"):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(12, 9), nn.ReLU())
        setattr(self, name, nn.ModuleList([nn.Sequential(nn.ReLU(inplace=True), nn.Linear(9, 9)) for _ in range(3)]))
        self.name = name
        self.last = nn.Sequential(nn.ReLU(), nn.Linear(9, 10))

    def forward(self, images):
        value = self.stem(images.flatten(1))
        for block in getattr(self, self.name):
            value = block(value)
            value += 1
        return self.last(value)


def plain(name="cells"):
    torch.manual_seed(0)
    network = Plain(name).double()
    images = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return network, Batch(images, torch.arange(5))


def test_the_stem_counts_only_without_weights_and_what_leaves_the_last_relu_counts():
    network, batch = plain()
    values = [network.stem[0](batch.images.flatten(1))]
    value = torch.relu(values[0])
    for block in network.cells:
        values.append(value)
        value = block[1](torch.relu(value)) + 1
    values.append(torch.relu(value))
    assert wrcor_activations(Probe(network, [batch])) == pytest.approx(score(sum(map(magnitudes, values))), rel=1e-9)
    points = []
    value = torch.relu(values[0])
    for block in network.cells:
        points.append(value + 0)
        value = block[1](torch.relu(points[-1])) + 1
    points.append(value + 0)
    loss = F.cross_entropy(network.last[1](torch.relu(points[-1])), batch.labels)
    found = torch.autograd.grad(loss, points)
    kernel = sum(2**i * (magnitudes(values[i + 1]) + magnitudes(found[i])) for i in range(4))
    assert wrcor(Probe(network, [batch])) == pytest.approx(score(kernel), rel=1e-9)


@pytest.mark.parametrize("name", ["layers", "blocks", "block_list"])
def test_the_list_of_blocks_goes_by_several_names_and_may_lie_deeper(name):
    expected = wrcor(Probe(*(lambda n, b: (n, [b]))(*plain())))
    network, batch = plain(name)
    assert wrcor(Probe(network, [batch])) == expected
    assert wrcor(Probe(nn.Sequential(network), [batch])) == expected


def test_a_response_in_which_an_image_is_constant_is_left_out():
    network, batch = plain()
    with torch.no_grad():
        network.cells[1][1].weight.zero_()  # all images look the same from here on, with a bias that varies by unit
        network.cells[1][1].bias.fill_(0.5)  # and now not even by unit
    activations = wrcor_activations(Probe(network, [batch]))
    first, value = [network.stem[0](batch.images.flatten(1))], None
    first.append(torch.relu(first[0]))
    first.append(network.cells[0][1](first[1]) + 1)
    value = network.cells[2][1](torch.full((5, 9), 1.5, dtype=torch.float64)) + 1
    kernel = sum(map(magnitudes, first)) + magnitudes(torch.relu(value))
    assert activations == pytest.approx(score(kernel), rel=1e-9)


def test_tiny_gradients_have_correlations_too(named_network, batches):
    """Their squares are below the smallest float32."""
    network = named_network("convolutions").float()
    with torch.no_grad():
        network.classifier.weight *= 1e-25
        network.classifier.bias.zero_()
    single = [Batch(batches[0].images.float(), batches[0].labels)]
    expected = wrcor_gradients(Probe(network, single))
    assert math.isfinite(expected)
    exact = wrcor_gradients(Probe(copy.deepcopy(network).double(), batches))
    assert expected == pytest.approx(exact, rel=1e-3)


@settings(deadline=None, max_examples=10)
@given(scale=st.floats(0.1, 10), shift=st.floats(-3, 3))
def test_activations_may_be_scaled_and_shifted(scale, shift):
    """Correlation coefficients do not see it; only the first ReLU's input is free of what is cut off below zero."""

    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.ModuleList([nn.ReLU()])

        def forward(self, images):
            return self.cells[0](images.flatten(1))

    _, batch = plain()
    moved = Batch(batch.images * scale + shift, batch.labels)
    assert wrcor_activations(Probe(One(), [moved])) == pytest.approx(
        wrcor_activations(Probe(One(), [batch])), rel=1e-7, abs=1e-9
    )


def test_labels_move_all_but_the_activations(named_network, batches):
    network = named_network("mixed")
    other = [Batch(batches[0].images, (batches[0].labels + 1) % 10)]
    for proxy in PROXIES:
        same = proxy(Probe(network, other)) == proxy(Probe(network, batches))
        assert same == (proxy is wrcor_activations)


def test_two_equal_images_make_the_kernel_singular(named_network, batches):
    images = batches[0].images.clone()
    images[1] = images[0]
    labels = torch.zeros(len(images), dtype=torch.int64)
    value = wrcor_activations(Probe(named_network("mixed"), [Batch(images, labels)]))
    assert value < wrcor_activations(Probe(named_network("mixed"), batches)) - 15


def test_images_in_tiles_have_a_row_each(named_network):
    class Tiled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = CellNetwork(("nor_conv_3x3",) * 6, (4, 4, 4), 1, 10).double()

        def forward(self, tiles):
            return self.body(tiles.flatten(0, 1)).reshape(len(tiles), -1, 10).mean(dim=1)

    tiles = torch.randn(5, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert math.isfinite(wrcor(Probe(Tiled(), [Batch(tiles, torch.arange(5))])))


def test_networks_without_relus_or_blocks_are_skipped_with_the_reason(named_network, batches):
    with pytest.raises(NotApplicableError, match="no ReLU modules"):
        wrcor_activations(Probe(named_network("without relu modules"), batches))
    with pytest.raises(NotApplicableError, match="no list of blocks"):
        wrcor(Probe(named_network("grouped"), batches))
    assert math.isfinite(wrcor_unweighted(Probe(named_network("grouped"), batches)))
