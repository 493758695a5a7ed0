"""Moves of the tabular spaces, against their lists of architectures."""

import contextlib
import itertools

import numpy as np
import pytest
from harness_benchmarks.nasbench101.cell import Cell, module_hash, neighbours, parse_cell

import harness
from harness.errors import HarnessError

PLACES = ("digits", "nats-tss", "nats-sss", "transnas-micro", "nasbench-macro")


def everything(space):
    return harness.load("nats-tss" if space.name == "digits" else space.name).architectures()


@pytest.mark.parametrize("name", PLACES)
def test_neighbours_are_all_architectures_with_another_choice_at_one_place(name):
    space = harness.load(name)
    here = space.random(np.random.default_rng(3))
    mine = space.places(here)
    differing = {
        other: sum(a != b for a, b in zip(mine, space.places(other), strict=True)) for other in everything(space)
    }
    assert set(space.neighbours(here)) == {other for other, count in differing.items() if count == 1}
    assert len(set(space.neighbours(here))) == len(space.neighbours(here))


@pytest.mark.parametrize("name", PLACES)
def test_mutations_are_uniform_over_neighbours_and_draws_over_the_space(name):
    space, rng = harness.load(name), np.random.default_rng(0)
    here = space.random(rng)
    near = space.neighbours(here)
    drawn = [space.mutate(here, rng) for _ in range(40 * len(near))]
    assert set(drawn) == set(near)
    assert max(map(drawn.count, near)) < 3 * min(map(drawn.count, near))
    known = set(everything(space))
    assert {space.random(rng) for _ in range(50)} <= known
    assert {space.mutate(here, rng, mutations=3) for _ in range(50)} <= known


@pytest.mark.parametrize("name", PLACES)
def test_a_crossover_takes_each_place_from_either_parent(name):
    space, rng = harness.load(name), np.random.default_rng(1)
    first, second = space.random(rng), space.random(rng)
    for _ in range(20):
        child = space.places(space.crossover(first, second, rng))
        pairs = zip(child, space.places(first), space.places(second), strict=True)
        assert all(mine in (ours, theirs) for mine, ours, theirs in pairs)


def edit_distance_is_one(first, second):
    short, long = sorted((first, second), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return len(long) - len(short) == 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@pytest.mark.parametrize("here", ["64-1234-basic", "64-444311-basic", "64-21313-basic"])
def test_neighbours_in_the_macro_space_are_one_edit_away(here):
    space = harness.load("transnas-macro")
    wanted = [other for other in space.architectures() if edit_distance_is_one(other[3:-6], here[3:-6])]
    assert space.neighbours(here) == wanted


def whole(cell):
    """The same cell from its official record, which refuses what is no cell of the benchmark."""
    bits = "".join(map(str, cell.matrix().ravel()))
    return parse_cell(bits, ",".join(cell.operation_names()))


def cells(vertices):
    """Every cell with so many vertices."""
    edges, inner = vertices * (vertices - 1) // 2, vertices - 2
    for bits, operations in itertools.product(range(2**edges), itertools.product("012", repeat=inner)):
        with contextlib.suppress(ValueError):
            yield whole(Cell(vertices, bits, "".join(operations)))


def without(cell, vertex):
    """What is left of a cell, or None if the vertex has more than one edge on either side."""
    matrix = cell.matrix()
    if matrix[:, vertex].sum() != 1 or matrix[vertex].sum() != 1:
        return None
    kept = np.delete(np.delete(matrix, vertex, axis=0), vertex, axis=1)
    bits = sum(1 << int(x + y * (y - 1) // 2) for x, y in np.argwhere(kept))
    return Cell(cell.vertices - 1, bits, cell.operations[: vertex - 1] + cell.operations[vertex:])


@pytest.mark.parametrize("cell", [Cell(3, 0b101, "0"), Cell(4, 0b110111, "10"), Cell(4, 0b100101, "21")])
def test_neighbours_of_a_cell_of_nasbench101_are_those_of_all_cells_one_change_away(cell):
    near = neighbours(cell)
    assert all(whole(other) == other for other in near)
    as_large = {
        other
        for other in cells(cell.vertices)
        if (other.adjacency ^ cell.adjacency).bit_count()
        + sum(a != b for a, b in zip(other.operations, cell.operations, strict=True))
        == 1
    }
    larger = {
        other
        for other in cells(cell.vertices + 1)
        if any(without(other, vertex) == cell for vertex in range(1, cell.vertices))
    }
    assert {other for other in near if other.vertices == cell.vertices} == as_large
    assert {other for other in near if other.vertices == cell.vertices + 1} == larger


def test_a_vertex_that_loses_its_only_edge_is_taken_out():
    """Input, two convolutions in parallel, output: each edge removed leaves one convolution."""
    parallel = Cell(4, 0b110011, "01")
    smaller = {(cell.adjacency, cell.operations) for cell in neighbours(whole(parallel)) if cell.vertices == 3}
    assert smaller == {(0b101, "0"), (0b101, "1")}


def test_no_neighbour_of_a_large_cell_has_too_many_vertices_or_edges():
    chain = sum(1 << (vertex + (vertex + 1) * vertex // 2) for vertex in range(6))
    nine = chain | sum(1 << bit for bit in (1, 3, 6))
    for bits in (chain, nine):
        near = neighbours(whole(Cell(7, bits, "01201")))
        assert all(whole(other) == other for other in near)
        assert len(set(map(module_hash, near))) > 10


def test_what_a_space_does_not_define_is_said():
    space = harness.load("zen-mobile")
    for move in (
        lambda: space.random(np.random.default_rng(0)),
        lambda: space.neighbours(space.initial("imagenet-1k")),
        lambda: space.crossover("a", "b", np.random.default_rng(0)),
    ):
        with pytest.raises(HarnessError, match="zen-mobile"):
            move()
    with pytest.raises(HarnessError, match="nats-tss has no initial architecture; searches of it start from random"):
        harness.load("nats-tss").initial("cifar10")
