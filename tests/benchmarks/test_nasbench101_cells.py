"""NAS-Bench-101's cells: descriptions, hashes, parameter counts, and the networks built from them."""

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.nasbench101.cell import OPERATIONS, Cell, module_hash, parse_cell
from harness_benchmarks.nasbench101.network import CellNetwork
from harness_benchmarks.nasbench101.tables import CELL_COLUMNS, describe_cells, parameter_counts
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import DataError

SMALLEST = Cell(2, 0b1, "")
CHAIN = Cell(5, 0b1000100101, "021")
BRANCHES = Cell(6, sum(1 << bit for bit in (0, 1, 4, 8, 10, 11, 13, 14)), "0121")

# From the official records' own hashes, as the format sample and the benchmark's tables give them.
KNOWN = {
    "043721b9c7fe8c5fad811d47d83132ec": SMALLEST,
    "5529e1779433733d1145e20de5d8604e": parse_cell("0110001100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output"),
    "00005c142e6f48ac74fdcf73e3439874": Cell(7, 1205349, "02001"),
}


@st.composite
def cells(draw):
    """Any cell of the benchmark: on a random order, each vertex gets a way in and a way out."""
    size = draw(st.integers(2, 7))
    edges = set()
    for vertex in range(1, size):
        edges.add((draw(st.integers(0, vertex - 1)), vertex))
    for vertex in range(size - 1):
        if not any(source == vertex for source, _ in edges):
            edges.add((vertex, draw(st.integers(vertex + 1, size - 1))))
    possible = [(a, b) for b in range(size) for a in range(b) if (a, b) not in edges]
    extra = draw(st.lists(st.sampled_from(possible), unique=True, max_size=3)) if possible else []
    chosen = [*edges, *extra][:9] if len(edges) <= 9 else list(edges)
    bits = sum(1 << (a + b * (b - 1) // 2) for a, b in chosen)
    return Cell(size, bits, "".join(draw(st.sampled_from("012")) for _ in range(size - 2)))


def as_frame(*described):
    rows = [(cell.vertices, cell.adjacency, cell.operations) for cell in described]
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS), index=[module_hash(cell) for cell in described])


def built_parameters(cell, classes=10):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in CellNetwork(cell, classes).parameters())


class TestHash:
    @pytest.mark.parametrize(("name", "cell"), KNOWN.items())
    def test_it_is_the_official_one(self, name, cell):
        assert module_hash(cell) == name

    def test_isomorphic_cells_agree(self):
        one = parse_cell("0110000100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output")
        other = parse_cell("0110000100010000", "input,conv3x3-bn-relu,conv1x1-bn-relu,output")
        assert one != other
        assert module_hash(one) == module_hash(other)

    def test_other_operations_are_another_cell(self):
        assert module_hash(CHAIN) != module_hash(Cell(CHAIN.vertices, CHAIN.adjacency, "012"))


class TestDescription:
    @given(cells())
    def test_the_official_description_gives_the_cell_back(self, cell):
        adjacency = "".join(map(str, cell.matrix().ravel()))
        if cell.adjacency.bit_count() <= 9:
            assert parse_cell(adjacency, ",".join(cell.operation_names())) == cell

    @pytest.mark.parametrize(
        ("adjacency", "operations", "reason"),
        [
            ("0100", "input,output,output", "not a matrix of zeros and ones for 3 vertices"),
            ("0200", "input,output", "not a matrix of zeros and ones"),
            ("0", "input", "has 1 vertices; expected: 2 to 7"),
            ("0" * 64, "input," + "maxpool3x3," * 6 + "output", "has 8 vertices"),
            ("0100", "output,input", "from input to output"),
            ("010001000", "input,conv5x5-bn-relu,output", "unknown operation 'conv5x5-bn-relu'; known: conv3x3"),
            ("010001100", "input,maxpool3x3,output", "not upper triangular"),
            ("010011000", "input,maxpool3x3,output", "not upper triangular"),
            ("011000000", "input,maxpool3x3,output", "vertex 1 of its cell is not on a path"),
            ("001001000", "input,maxpool3x3,output", "vertex 1 of its cell is not on a path"),
            ("0000", "input,output", "vertex 0 of its cell is not on a path"),
            ("01111" + "00111" + "00011" + "00001" + "00000", "input," + "maxpool3x3," * 3 + "output", "has 10 edges"),
        ],
    )
    def test_what_is_no_cell_is_refused_with_the_reason(self, adjacency, operations, reason):
        with pytest.raises(ValueError, match=reason):
            parse_cell(adjacency, operations)


class TestTableOfCells:
    def test_cells_of_all_sizes_pass(self):
        described = describe_cells(as_frame(*KNOWN.values(), CHAIN, BRANCHES), "mine.csv")
        assert list(described.columns) == list(CELL_COLUMNS)
        assert described["ops"].tolist()[0] == ""

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("vertices", 8, "has not 2 to 7 vertices"),
            ("vertices", 300, "has not 2 to 7 vertices"),
            ("vertices", 4, "has edges to vertices that do not exist"),
            ("adjacency_bits", 0b1111111111, "has more than 9 edges"),
            ("adjacency_bits", 0b0000100101, "has a vertex that is not on a path"),
            ("ops", "023", "has an unknown operation"),
            ("ops", "0211", "has a different number of operations"),
            ("ops", "012", "has the hash"),
        ],
    )
    def test_what_is_no_cell_is_named(self, column, value, reason):
        frame = as_frame(SMALLEST, CHAIN)
        frame.loc[module_hash(CHAIN), column] = value
        with pytest.raises(DataError, match=f"mine.csv: the cell of '{module_hash(CHAIN)}' {reason}"):
            describe_cells(frame, "mine.csv")

    @pytest.mark.parametrize("value", [-1, 1.5, 1 << 31])
    def test_numbers_that_are_no_bits_are_refused(self, value):
        frame = as_frame(SMALLEST, CHAIN).astype({"adjacency_bits": type(value)})
        frame.loc[module_hash(CHAIN), "adjacency_bits"] = value
        with pytest.raises(DataError, match="'adjacency_bits' has a value that is not an integer"):
            describe_cells(frame, "mine.csv")

    def test_a_table_without_cells_is_that_of_another_benchmark(self):
        with pytest.raises(DataError, match="has no column 'vertices'; a table of NAS-Bench-101 has hash, vertices"):
            describe_cells(as_frame(SMALLEST)[[]], "mine.csv")


class TestParameters:
    @pytest.mark.nightly
    @settings(deadline=None)
    @given(cells())
    def test_the_closed_form_counts_as_the_built_network(self, cell):
        assert parameter_counts(as_frame(cell)).tolist() == [built_parameters(cell)]

    def test_cells_of_several_sizes_keep_their_places(self):
        several = (BRANCHES, SMALLEST, CHAIN, *KNOWN.values())
        assert parameter_counts(as_frame(*several)).tolist() == [built_parameters(cell) for cell in several]

    def test_other_classes(self):
        assert parameter_counts(as_frame(CHAIN), classes=100).tolist() == [built_parameters(CHAIN, 100)]


class TestNetwork:
    @pytest.mark.parametrize("cell", [SMALLEST, CHAIN, BRANCHES])
    def test_features_and_logits(self, cell):
        network = CellNetwork(cell, 10)
        images = torch.randn(2, 3, 32, 32)
        assert network.training
        assert network.forward_features(images).shape == (2, 512, 8, 8)
        assert network(images).shape == (2, 10)

    @pytest.mark.parametrize("cell", [SMALLEST, CHAIN, BRANCHES])
    def test_it_computes_what_nasbench_pytorch_s_network_computes(self, cell):
        from nasbench_pytorch.model import Network

        torch.manual_seed(0)
        theirs = Network((cell.matrix(), cell.operation_names()))
        torch.manual_seed(0)
        ours = CellNetwork(cell, 10)
        images = torch.randn(2, 3, 32, 32)
        assert torch.equal(ours(images), theirs(images))

    def test_no_placeholder_is_left(self):
        with torch.device("meta"):
            network = CellNetwork(BRANCHES, 10)
        kinds = {type(module).__name__ for module in network.modules()}
        assert "Placeholder" not in kinds
        assert min(parameter.numel() for parameter in network.parameters()) == 10
        assert not any("dev_param" in name for name in network.state_dict())

    def test_every_parameter_gets_a_gradient(self):
        network = CellNetwork(BRANCHES, 10)
        network(torch.randn(2, 3, 32, 32)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in network.parameters())

    def test_operations_are_the_official_names(self):
        assert BRANCHES.operation_names() == ["input", *(OPERATIONS[i] for i in (0, 1, 2, 1)), "output"]
        assert np.array_equal(BRANCHES.matrix(), np.triu(BRANCHES.matrix(), 1))
