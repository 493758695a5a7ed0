"""The walk through a recorded graph gives the curvature that differentiating twice gives, in float64."""

import inspect
import itertools
import re

import pytest
import torch
from harness_benchmarks.nasbench101.cell import Cell
from harness_benchmarks.nasbench101.network import CellNetwork as VertexNetwork
from harness_benchmarks.nb201.cells import CellNetwork
from harness_benchmarks.nb201.topology import parse_cell
from harness_benchmarks.transnas101 import TransNasMacro, TransNasMicro
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.networks import pooling
from harness.probe import Probe
from harness.probe.curvature import linear, rules

CLASSES = 5


def cell_network(text):
    return CellNetwork(parse_cell(text), (4, 6, 8), 1, CLASSES)


def chain(*modules):
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *modules, nn.Flatten(), nn.LazyLinear(CLASSES))


NETWORKS = {
    "every operation": lambda: cell_network(
        "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    ),
    "poolings": lambda: cell_network(
        "|avg_pool_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|none~0|avg_pool_3x3~1|avg_pool_3x3~2|"
    ),
    "max pooling and concatenation": lambda: VertexNetwork(Cell(4, 0b110111, "02"), CLASSES),
    "no batch norm": lambda: chain(nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.LeakyReLU()),
    "padding and dilation": lambda: chain(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=2, dilation=2)),
}
FALLING_BACK = {
    "a nonlinearity that is no piecewise one": lambda: chain(nn.BatchNorm2d(4), nn.Tanh()),
    "batch norm without scale": lambda: chain(nn.BatchNorm2d(4, affine=False), nn.ReLU()),
    "a module that is called twice": lambda: chain(*[nn.BatchNorm2d(4)] * 2, nn.ReLU()),
}


def make(build):
    torch.manual_seed(0)
    network, images = build(), torch.randn(6, 3, 16, 16, dtype=torch.float64)
    network(images.float())  # sizes of lazy layers
    batch = Batch(images, torch.arange(6) % CLASSES)
    return network.double().train(), batch


def by_double_backward(network, batch, loss=F.cross_entropy):
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    value = loss(network(batch.images), batch.labels)
    first = torch.autograd.grad(value, weights, create_graph=True, materialize_grads=True)
    second = torch.autograd.grad(sum((g * g.detach()).sum() for g in first), weights, materialize_grads=True)
    return sum((w * h).sum() for w, h in zip(weights, second, strict=True)).item()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_walk_equals_differentiating_twice(name):
    network, batch = make(NETWORKS[name])
    probe = Probe(network, [batch])
    assert probe._tape() is not None
    assert probe.curvature_along_weights().item() == pytest.approx(by_double_backward(network, batch), rel=1e-9)


@pytest.mark.parametrize("name", FALLING_BACK)
def test_where_there_is_no_closed_form_dual_numbers_serve(name):
    network, batch = make(FALLING_BACK[name])
    probe = Probe(network, [batch])
    assert probe._tape() is None
    assert probe.curvature_along_weights().item() == pytest.approx(by_double_backward(network, batch), rel=1e-9)


class TestAnotherTorch:
    """Names of nodes and what nodes hold are torch's own affair, and may change with any version."""

    KINDS = ("ConvolutionBackward", "AddmmBackward", "NativeBatchNormBackward", "AddBackward", "MeanBackward")

    def falls_back(self):
        network, batch = make(NETWORKS["every operation"])
        probe = Probe(network, [batch])
        value = probe.curvature_along_weights().item()
        return probe._tape() is None and value == pytest.approx(by_double_backward(network, batch), rel=1e-9)

    @pytest.mark.parametrize("kind", KINDS)
    def test_that_names_a_node_otherwise(self, kind, monkeypatch):
        monkeypatch.delitem(rules._RULES, kind)
        assert self.falls_back()

    @pytest.mark.parametrize("kind", KINDS)
    def test_whose_nodes_lack_what_is_read(self, kind, monkeypatch):
        monkeypatch.setattr(rules._RULES[kind], "reads", (*rules._RULES[kind].reads, "_saved_by_another_torch"))
        assert self.falls_back()

    @pytest.mark.parametrize("rule", dict.fromkeys(map(type, rules._RULES.values())))
    def test_every_rule_declares_what_it_reads(self, rule):
        source = "".join(
            inspect.getsource(each) for each in rule.mro() if each.__module__.startswith(rules.__package__)
        )
        assert set(rule.reads) == set(re.findall(r"\bnode\.(_\w+)", source))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_walk_equals_dual_numbers(name):
    network, batch = make(NETWORKS[name])
    probe = Probe(network, [batch])
    assert probe.curvature_along_weights().item() == pytest.approx(probe._curvature_in_dual_numbers().item(), rel=1e-9)


@pytest.mark.parametrize(
    ("space", "architecture"), [(TransNasMicro, "64-41414-1_23_321"), (TransNasMacro, "64-1234-basic")]
)
def test_the_walk_knows_every_operation_of_a_classifying_network_of_transnas(space, architecture):
    torch.manual_seed(0)
    benchmark = space()
    network = benchmark.build(architecture, "class_scene")
    task = benchmark.task("class_scene")
    batch = Batch(torch.randn(2, 3, 64, 64), torch.arange(2))
    probe = Probe(network, [batch], objective=task.objective)
    assert probe._tape() is not None


def test_anticipating_it_changes_no_bit_of_anything():
    network, batch = make(NETWORKS["every operation"])
    network, batch = network.float(), Batch(batch.images.float(), batch.labels)
    names = ("layer_output_gradients", "curvature_along_weights")
    results = []
    for anticipated in itertools.chain.from_iterable(itertools.combinations(names, k) for k in range(3)):
        probe = Probe(network, [batch], anticipate=anticipated)
        results.append((probe.loss_gradients(), probe.layer_output_gradients(), probe.curvature_along_weights()))
    for weights, outputs, curvature in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(weights, results[0][0], strict=True))
        assert all(torch.equal(a, b) for a, b in zip(outputs, results[0][1], strict=True))
        assert torch.equal(curvature, results[0][2])


def test_nothing_reaches_the_outputs():
    network, batch = make(lambda: cell_network("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
    expected = by_double_backward(network, batch)
    assert Probe(network, [batch]).curvature_along_weights().item() == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_sums_of_equal_shapes_need_no_pass_through_the_graph(monkeypatch):
    """Torch's nodes give shapes as lists, so a comparison with sizes would always send them there."""
    sums = []
    through = linear.Linear.up

    def up(self, node, along, walk):
        sums.append(node.name())
        return through(self, node, along, walk)

    monkeypatch.setattr(linear.Linear, "up", up)
    network, batch = make(NETWORKS["every operation"])
    Probe(network, [batch]).curvature_along_weights()
    assert sums
    assert "AddBackward0" not in sums


def test_quick_pooling_changes_nothing(monkeypatch):
    torch.manual_seed(0)
    cell = parse_cell("|avg_pool_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
    network = CellNetwork(cell, (8, 16, 24), 1, CLASSES).to(memory_format=torch.channels_last)
    images = torch.randn(6, 3, 16, 16).to(memory_format=torch.channels_last)
    found = []
    for there in (True, False):
        monkeypatch.setattr(pooling, "_has_one_dnn", lambda it=there: it)
        found.append(Probe(network, [Batch(images, torch.arange(6) % CLASSES)]).curvature_along_weights().item())
    assert found[0] == pytest.approx(found[1], rel=1e-5)
