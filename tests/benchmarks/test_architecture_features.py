"""Counts that describe architectures: what they count, and the same names for every architecture of a benchmark."""

from itertools import product

import pytest
from harness_benchmarks.digits import Digits
from harness_benchmarks.nasbench101.cell import Cell
from harness_benchmarks.nasbench101.cell import cell_features as cell_features_101
from harness_benchmarks.nats.sss import NatsSss
from harness_benchmarks.nats.tss import NatsTss
from harness_benchmarks.nb201.features import cell_features
from harness_benchmarks.nb201.topology import EDGES, OPERATIONS, live_cell
from harness_benchmarks.transnas101 import TransNasMacro, TransNasMicro


@pytest.mark.parametrize(
    "space", [NatsTss(), NatsSss(), Digits(), TransNasMicro(), TransNasMacro()], ids=lambda b: b.name
)
def test_every_architecture_has_the_same_counts_in_the_same_order(space):
    described = [space.features(architecture) for architecture in space.architectures()[::37]]
    assert {tuple(features) for features in described} == {tuple(described[0])}
    assert len(described[0]) >= 5


def paths(cell):
    """Every path of operations other than none from input to output, as the operations along it."""
    found = []

    def walk(node, sofar):
        if node == 3:
            found.append(sofar)
        for (source, target), name in zip(EDGES, cell, strict=True):
            if source == node and name != "none":
                walk(target, [*sofar, name])

    walk(0, [])
    return found


def test_depth_and_paths_are_those_of_walking_every_path():
    for cell in list(product(OPERATIONS, repeat=6))[::29]:
        features = cell_features(cell)
        ways = paths(cell)
        assert features["paths"] == len(ways)
        computing = [sum(name not in ("none", "skip_connect") for name in way) for way in ways]
        assert features["depth"] == max(computing, default=0)
        convolutions = [sum("conv" in name for name in way) for way in ways]
        assert features["convolution depth"] == max(convolutions, default=0)


def test_operations_are_counted_dead_or_not():
    cell = ("nor_conv_3x3", "none", "none", "skip_connect", "none", "avg_pool_3x3")
    features = cell_features(cell)
    assert live_cell(cell) == ("none", "none", "none", "skip_connect", "none", "none")
    assert (features["3×3 convolutions"], features["average poolings"], features["zero operations"]) == (1, 1, 3)
    assert features["dead operations"] == 2
    assert sum(features[name] for name in list(features)[:5]) == 6


def test_transnas_cells_have_no_pooling():
    assert "average poolings" not in TransNasMicro().features("64-41414-1_02_333")


def test_widths_describe_the_size_space():
    features = NatsSss().features("8:16:24:32:64")
    assert (features["width 1"], features["width 5"], features["sum of widths"]) == (8, 64, 144)


def test_depth_of_a_cell_of_nasbench101_counts_operations():
    # input → a → b → output, and input → output.
    bits = sum(1 << (x + y * (y - 1) // 2) for x, y in ((0, 1), (1, 2), (2, 3), (0, 3)))
    features = cell_features_101(Cell(4, bits, "02"))
    assert (features["depth"], features["paths"], features["edges"], features["operations"]) == (2, 2, 4, 2)
    assert (features["3×3 convolutions"], features["max poolings"]) == (1, 1)


def test_a_benchmark_that_declares_none_has_none():
    from harness.contracts.benchmark import Benchmark

    assert Benchmark.features(Digits(), "anything") == {}
