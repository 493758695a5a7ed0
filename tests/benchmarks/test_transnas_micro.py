"""The micro space: codes, sets and functional classes, proven on all 4,096 cells."""

import itertools
import math
import time
from collections import defaultdict

import numpy as np
import pytest
from harness_benchmarks.nb201.topology import EDGES, cell_form, live_cell
from harness_benchmarks.transnas101.micro import (
    OPERATIONS,
    SUBSETS,
    canonical_form,
    cell_code,
    enumerate_architectures,
    membership,
    parse_cell,
)
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError, UnknownNameError

cells = st.tuples(*[st.sampled_from(OPERATIONS)] * len(EDGES))
EMPTY = "64-41414-0_00_000"


def subset(name):
    return list(filter(membership(name), enumerate_architectures()))


class TestCodes:
    @given(cells)
    def test_a_code_gives_its_cell_back(self, cell):
        assert parse_cell(cell_code(cell)) == cell

    def test_each_node_lists_its_incoming_edges(self):
        operation = dict(zip(EDGES, parse_cell("64-41414-1_02_330"), strict=True))
        assert operation[0, 1] == "skip_connect"
        assert operation[1, 2] == "nor_conv_1x1"
        assert operation[0, 3] == operation[1, 3] == "nor_conv_3x3"

    @pytest.mark.parametrize(
        "text",
        ["", "64", "64-41414-", "64-41414-1_02_33", "64-41414-1_02_3333", "64-41414-1023333", "32-41414-1_02_333",
         "64-4111-1_02_333", "1_02_333", "64-41414-1_02_333\n", "64-1234-basic"],
    )  # fmt: skip
    def test_what_is_no_code_is_refused_and_a_code_is_shown(self, text):
        with pytest.raises(HarnessError, match="is not a code of the micro space, such as '64-41414-1_02_333'"):
            parse_cell(text)

    @pytest.mark.parametrize("digit", "4x٣")
    def test_an_unknown_operation_is_named_with_the_known_ones(self, digit):
        with pytest.raises(HarnessError, match=rf"unknown operation '{digit}'.*known: 0 none, 1 skip_connect"):
            parse_cell(f"64-41414-1_0{digit}_333")


class TestEnumeration:
    def test_every_cell_once_in_the_order_of_counting_in_base_four(self):
        numbers = [int(code.removeprefix("64-41414-").replace("_", ""), 4) for code in enumerate_architectures()]
        assert numbers == list(range(4_096))

    @pytest.mark.real_data
    def test_the_order_is_that_of_the_table(self, real_data):
        import pandas as pd

        assert tuple(pd.read_csv(real_data / "transnas-micro.csv.gz")["arch"]) == enumerate_architectures()


def open_paths(cell):
    """Every path from node 0 to node 3 with no ``none`` on it, as edges."""
    operation = dict(zip(EDGES, cell, strict=True))
    interior = itertools.chain.from_iterable(itertools.combinations((1, 2), n) for n in range(3))
    paths = [list(itertools.pairwise((0, *nodes, 3))) for nodes in interior]
    return [path for path in paths if all(operation[edge] != "none" for edge in path)]


class TestSets:
    def test_169_cells_are_not_connected(self):
        connected = [code for code in enumerate_architectures() if open_paths(parse_cell(code))]
        assert subset("connected") == connected
        assert len(connected) == 4_096 - 169

    def test_2128_cells_have_no_unreachable_operation_and_are_what_remains_of_all(self):
        remaining = set()
        for code in enumerate_architectures():
            cell = parse_cell(code)
            live = {edge for path in open_paths(cell) for edge in path}
            remaining.add(tuple(name if edge in live else "none" for edge, name in zip(EDGES, cell, strict=True)))
        assert set(subset("reachable")) == set(map(cell_code, remaining))
        assert len(remaining) == 2_128

    def test_unique_holds_the_first_of_each_class(self):
        first = {}
        for code in enumerate_architectures():
            first.setdefault(canonical_form(code), code)
        assert subset("unique") == list(first.values())
        assert len(first) == 1_376

    def test_all_has_all_and_each_set_has_a_description(self):
        assert subset("all") == list(enumerate_architectures())
        assert list(SUBSETS) == ["all", "connected", "reachable", "unique"]
        assert all(SUBSETS.values())

    def test_an_unknown_set_is_refused_with_near_names(self):
        with pytest.raises(UnknownNameError, match="did you mean 'connected'"):
            membership("conected")

    @pytest.mark.parametrize("name", SUBSETS)
    def test_all_cells_are_told_apart_in_half_a_second(self, name):
        start = time.process_time()
        assert sum(map(membership(name), enumerate_architectures())) > 0
        assert time.process_time() - start < 0.5


FUNCTIONS = {
    "nor_conv_1x1": lambda weight, value: math.sin(weight * value),
    "nor_conv_3x3": lambda weight, value: math.sinh(weight * value),
    "halving skip": lambda weight, value: math.atan(weight * value) + 0.3 * value**2,
}
"""Functions that map zero to zero and obey no common law, so that different cells differ somewhere."""

WEIGHTS = {
    "nor_conv_1x1": (0.31, 0.57, 0.83, 1.09, 1.27, 1.51),
    "nor_conv_3x3": (0.23, 0.41, 0.67, 0.89, 0.97, 1.13),
    "halving skip": (0.37, 0.61, 1.19),
}


def signature(cell, halves):
    """The cell's outputs in a world of numbers, for every way to give fixed weights to the live operations."""
    operation = dict(zip(EDGES, live_cell(cell), strict=True))
    if halves:
        operation |= {edge: "halving skip" for edge in EDGES if edge[0] == 0 and operation[edge] == "skip_connect"}
    edges = {kind: [edge for edge in EDGES if operation[edge] == kind] for kind in FUNCTIONS}
    assignments = [
        [dict(zip(live, order, strict=True)) for order in itertools.permutations(WEIGHTS[kind][: len(live)])]
        for kind, live in edges.items()
    ]
    outputs = []
    for parts in itertools.product(*assignments):
        weights = parts[0] | parts[1] | parts[2]
        nodes = [1.0]
        for target in range(1, 4):
            total = 0.0
            for source in range(target):
                name, value = operation[source, target], nodes[source]
                if name in FUNCTIONS:
                    total += FUNCTIONS[name](weights[source, target], value)
                elif name == "skip_connect":
                    total += value
            nodes.append(total)
        outputs.append(nodes[-1])
    return tuple(map(len, edges.values())), tuple(np.round(sorted(outputs), 8))


class TestCanonicalForm:
    def test_equal_forms_are_equal_functions_in_both_kinds_of_cell(self):
        classes = defaultdict(set)
        for code in enumerate_architectures():
            cell = parse_cell(code)
            classes[canonical_form(code)].add((signature(cell, halves=False), signature(cell, halves=True)))
        assert max(map(len, classes.values())) == 1
        assert len(set.union(*classes.values())) == len(classes) == 1_376

    def test_the_form_of_the_halving_cell_decides_that_of_the_others(self):
        pairs = {(canonical_form(code), cell_form(parse_cell(code))) for code in enumerate_architectures()}
        assert len(pairs) == len({halving for halving, _ in pairs}) == 1_376
        assert len({other for _, other in pairs}) < 1_376

    def test_unconnected_cells_are_zero(self):
        assert sum(canonical_form(code) == "0" for code in enumerate_architectures()) == 169
        assert canonical_form(EMPTY) == "0"

    def test_a_skip_from_the_input_has_weights_where_the_cell_halves(self):
        followed, direct = "64-41414-1_00_030", "64-41414-0_00_300"
        assert cell_form(parse_cell(followed)) == cell_form(parse_cell(direct))
        assert canonical_form(followed) != canonical_form(direct)

    def test_a_halving_skip_used_twice_is_not_two_of_them(self):
        assert canonical_form("64-41414-1_01_022") != canonical_form("64-41414-1_10_022")

    def test_other_skips_leave_no_trace(self):
        assert canonical_form("64-41414-2_01_003") == canonical_form("64-41414-2_00_030")
