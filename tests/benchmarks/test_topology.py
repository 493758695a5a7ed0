"""Cells as graphs: strings, dead operations, connectivity and functional classes, proven on all 15,625 cells."""

import itertools
import math
import time
from collections import defaultdict

import numpy as np
import pytest
from harness_benchmarks.nb201.topology import (
    EDGES,
    OPERATIONS,
    SUBSETS,
    canonical_form,
    cell_string,
    enumerate_architectures,
    enumerate_cells,
    live_cell,
    membership,
    parse_cell,
)
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError, UnknownNameError

cells = st.tuples(*[st.sampled_from(OPERATIONS)] * len(EDGES))
EMPTY = cell_string(("none",) * 6)


def subset(name, architectures=None):
    return list(filter(membership(name, architectures), architectures or enumerate_architectures()))


def paths():
    """Every path from node 0 to node 3, as edges."""
    interior = itertools.chain.from_iterable(itertools.combinations((1, 2), n) for n in range(3))
    return [list(itertools.pairwise((0, *nodes, 3))) for nodes in interior]


class TestStrings:
    @given(cells)
    def test_a_string_gives_its_cell_back(self, cell):
        assert parse_cell(cell_string(cell)) == cell

    def test_edges_stand_in_the_order_of_the_string(self):
        architecture = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
        operation = dict(zip(EDGES, parse_cell(architecture), strict=True))
        assert operation[0, 2] == "skip_connect"
        assert operation[1, 2] == "nor_conv_1x1"
        assert operation[0, 3] == "nor_conv_3x3"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "|",
            "resnet18",
            "|none~0|",
            "8:8:8:8:8",
            EMPTY + "+",
            EMPTY.replace("~2", "~1"),
            EMPTY.replace("+", ""),
            EMPTY.strip("|"),
        ],
    )
    def test_what_is_no_cell_is_refused_and_a_cell_is_shown(self, text):
        with pytest.raises(HarnessError, match="does not describe a cell; one looks like"):
            parse_cell(text)

    def test_an_unknown_operation_is_named_with_the_known_ones(self):
        with pytest.raises(HarnessError, match=r"unknown operation 'conv_7x7'.*known: none, skip_connect"):
            parse_cell(EMPTY.replace("none~2", "conv_7x7~2"))


class TestEnumeration:
    def test_every_cell_once(self):
        assert len(set(enumerate_architectures())) == 15_625 == len(enumerate_architectures())

    def test_the_order_is_counting_in_base_five(self):
        numbers = [
            sum(OPERATIONS.index(name) * 5 ** (5 - edge) for edge, name in enumerate(cell))
            for cell in enumerate_cells()
        ]
        assert numbers == list(range(15_625))

    def test_strings_stand_in_the_same_order(self):
        assert [parse_cell(a) for a in enumerate_architectures()] == enumerate_cells()


class TestLiveCell:
    def test_an_operation_is_live_if_it_lies_on_a_path_without_none(self):
        for cell in enumerate_cells():
            operation = dict(zip(EDGES, cell, strict=True))
            open_paths = [path for path in paths() if all(operation[edge] != "none" for edge in path)]
            live = {edge for path in open_paths for edge in path}
            assert live_cell(cell) == tuple(operation[edge] if edge in live else "none" for edge in EDGES)

    @given(cells)
    def test_a_live_cell_has_nothing_dead(self, cell):
        assert live_cell(live_cell(cell)) == live_cell(cell)

    def test_9445_distinct_cells_remain_and_the_empty_cell_is_one_of_them(self):
        remaining = {live_cell(cell) for cell in enumerate_cells()}
        assert len(remaining) == 9_445
        assert ("none",) * 6 in remaining


class TestSets:
    def test_341_cells_are_not_connected(self):
        assert len(subset("connected")) == 15_625 - 341

    def test_6180_cells_have_a_dead_operation_and_9445_have_none(self):
        assert sum(live_cell(cell) != cell for cell in enumerate_cells()) == 6_180
        assert len(subset("reachable")) == 9_445

    def test_the_empty_cell_has_no_dead_operation_though_it_is_not_connected(self):
        assert membership("reachable")(EMPTY)
        assert not membership("connected")(EMPTY)
        assert set(subset("reachable")) - set(subset("connected")) == {EMPTY}

    def test_unique_holds_the_first_of_each_class(self):
        first = {}
        for architecture in enumerate_architectures():
            first.setdefault(canonical_form(architecture), architecture)
        assert subset("unique") == list(first.values())

    def test_unique_follows_the_order_that_it_is_given(self):
        backwards = enumerate_architectures()[::-1]
        chosen = subset("unique", backwards)
        assert chosen != subset("unique")[::-1]
        assert chosen[0] == backwards[0]
        assert len(chosen) == len(subset("unique"))

    def test_unique_of_some_architectures_has_no_others(self):
        assert membership("unique", [EMPTY])(EMPTY)
        assert not membership("unique", [EMPTY])(enumerate_architectures()[-1])

    def test_all_has_all(self):
        assert subset("all") == list(enumerate_architectures())

    def test_each_set_has_a_description(self):
        assert list(SUBSETS) == ["all", "connected", "reachable", "unique"]
        assert all(SUBSETS.values())

    def test_an_unknown_set_is_refused_with_near_names(self):
        with pytest.raises(UnknownNameError, match="did you mean 'reachable'"):
            membership("reachabel")

    @pytest.mark.parametrize("name", SUBSETS)
    def test_all_cells_are_told_apart_in_half_a_second(self, name):
        start = time.process_time()
        belongs = membership(name)
        assert sum(map(belongs, enumerate_architectures())) > 0
        assert time.process_time() - start < 0.5

    @pytest.mark.real_data
    def test_reachable_are_the_architectures_of_the_published_scores(self, real_data):
        import pandas as pd

        published = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz", usecols=["net_str"])["net_str"]
        assert set(subset("reachable")) == set(published)


def evaluate(cell, weights):
    """The cell's output for the input 1 in a world of numbers; ``weights`` gives each convolution's weight by edge."""
    operation = dict(zip(EDGES, cell, strict=True))

    def apply(edge, value):
        match operation[edge]:
            case "none":
                return 0.0
            case "skip_connect":
                return value
            case "avg_pool_3x3":
                return math.atan(0.7 * value)
            case "nor_conv_1x1":
                return math.sin(weights[edge] * value)
            case "nor_conv_3x3":
                return math.sinh(weights[edge] * value)

    nodes = [1.0]
    for target in range(1, 4):
        nodes.append(sum(apply((source, target), nodes[source]) for source in range(target)))
    return nodes[-1]


def signature(cell):
    """Outputs for every way to give fixed weights to the live convolutions: equal for cells that are isomorphic.

    The functions above map zero to zero and obey no common law, so that different cells differ somewhere.
    """
    cell = live_cell(cell)
    ones, threes = (
        [edge for edge, name in zip(EDGES, cell, strict=True) if name == operation]
        for operation in ("nor_conv_1x1", "nor_conv_3x3")
    )
    first = (0.31, 0.57, 0.83, 1.09, 1.27, 1.51)
    second = (0.23, 0.41, 0.67, 0.89, 0.97, 1.13)
    outputs = sorted(
        evaluate(cell, dict(zip(ones, a, strict=True)) | dict(zip(threes, b, strict=True)))
        for a in itertools.permutations(first[: len(ones)])
        for b in itertools.permutations(second[: len(threes)])
    )
    return len(ones), len(threes), tuple(np.round(outputs, 8))


def published_form(cell, zeros_leave_no_trace=False, sums_are_flat=False):
    """How NAS-Bench-201 tells cells apart: strings with zeros as ``#`` (Dong & Yang, ICLR 2020, section 2.1)."""

    def apply(operation, terms):
        if operation == "none" or terms == ["#"]:
            return ["#"]
        if operation == "skip_connect":
            return terms if sums_are_flat else ["+".join(terms)]
        return [f"({'+'.join(terms)})@{operation}"]

    def add(*contributions):
        terms = sorted(itertools.chain(*contributions))
        if zeros_leave_no_trace:
            return [term for term in terms if term != "#"] or ["#"]
        return terms

    op01, op02, op12, op03, op13, op23 = cell
    node0 = ["0"]
    node1 = add(apply(op01, node0))
    node2 = add(apply(op02, node0), apply(op12, node1))
    return "+".join(add(apply(op03, node0), apply(op13, node1), apply(op23, node2)))


class TestCanonicalForm:
    def test_equal_forms_are_equal_functions_on_all_cells(self):
        classes = defaultdict(set)
        for cell in enumerate_cells():
            classes[canonical_form(cell_string(cell))].add(signature(cell))
        assert max(len(signatures) for signatures in classes.values()) == 1
        assert len(set.union(*classes.values())) == len(classes) == 5_260

    def test_cells_without_a_path_are_zero(self):
        unconnected = set(enumerate_architectures()) - set(subset("connected"))
        assert {canonical_form(a) for a in unconnected} == {"0"}
        assert sum(canonical_form(a) == "0" for a in enumerate_architectures()) == 341

    @given(cells)
    def test_dead_operations_leave_no_trace(self, cell):
        assert canonical_form(cell_string(live_cell(cell))) == canonical_form(cell_string(cell))

    @given(*[st.sampled_from(OPERATIONS)] * 5)
    def test_the_inner_nodes_are_interchangeable_where_no_edge_joins_them(self, a, b, direct, c, d):
        one = cell_string((a, b, "none", direct, c, d))
        other = cell_string((b, a, "none", direct, d, c))
        assert canonical_form(one) == canonical_form(other)

    def test_one_convolution_used_twice_is_not_two_convolutions(self):
        shared = cell_string(("nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "nor_conv_1x1"))
        separate = cell_string(("nor_conv_3x3", "nor_conv_3x3", "none", "none", "nor_conv_1x1", "nor_conv_1x1"))
        assert canonical_form(shared) != canonical_form(separate)

    def test_one_pooling_used_twice_is_two_poolings(self):
        shared = cell_string(("avg_pool_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "nor_conv_1x1"))
        separate = cell_string(("avg_pool_3x3", "avg_pool_3x3", "none", "none", "nor_conv_1x1", "nor_conv_1x1"))
        assert canonical_form(shared) == canonical_form(separate)

    def test_the_published_6466_are_another_count_and_this_is_the_way_from_there(self):
        cells = enumerate_cells()
        assert len({published_form(cell) for cell in cells}) == 6_466
        assert len({published_form(cell, zeros_leave_no_trace=True) for cell in cells}) == 5_390
        flat = [published_form(cell, zeros_leave_no_trace=True, sums_are_flat=True) for cell in cells]
        assert len(set(flat)) == 4_930
        forms = [canonical_form(cell_string(cell)) for cell in cells]
        assert len(set(zip(flat, forms, strict=True))) == len(set(forms)) == 5_260
        unshared = {pair for pair in zip(flat, forms, strict=True) if "'" not in pair[1]}
        assert len({one for one, _ in unshared}) == len(unshared)
