"""Cells of NAS-Bench-201 as graphs: their strings, and which of them are equivalent.

A cell is a complete directed acyclic graph on four nodes. Each of its six edges carries one of five operations, and a
node is the sum of the outputs of its incoming edges (Dong & Yang, "NAS-Bench-201", ICLR 2020, section 2.1). Here a cell
is only a tuple of names; the networks built from it are in :mod:`harness_benchmarks.nb201.cells`. The cells of
TransNAS-Bench-101's micro space (:mod:`harness_benchmarks.transnas101.micro`) are the same graphs with one operation
fewer.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

from harness._utils.names import unknown_name
from harness.errors import HarnessError, UnknownNameError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NODES = 4
EDGES = tuple((source, target) for target in range(1, NODES) for source in range(target))

_WITH_WEIGHTS = ("nor_conv_1x1", "nor_conv_3x3", "factorized_reduce")

Cell = tuple[str, ...]
"""The operation on each edge, in the order of ``EDGES``: 0→1, 0→2, 1→2, 0→3, 1→3, 2→3."""

Value = tuple[str, ...]
"""What a node computes: the sorted terms of a sum; no terms mean zero."""

SUBSETS = {
    "all": "every architecture",
    "connected": "a path of operations other than none leads from input to output",
    "reachable": "no unreachable operation: every operation other than none lies on a path from input to output",
    "unique": "of the cells of the whole space that are equal once dead operations are removed and skip connections "
    "followed, the first",
}


@functools.lru_cache(2**14)
def parse_cell(architecture: str) -> Cell:
    """The cell that an official architecture string such as ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`` describes.

    >>> parse_cell("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
    ('none', 'none', 'none', 'skip_connect', 'none', 'avg_pool_3x3')

    Raises:
        HarnessError: if the string is not of that form.
    """
    entries = architecture.replace("+", "").strip("|").replace("||", "|").split("|")
    cell = tuple(entry.partition("~")[0] for entry in entries)
    if len(cell) != len(EDGES) or cell_string(cell) != architecture:
        expected = cell_string(("skip_connect",) * len(EDGES))
        raise HarnessError(f"'{architecture}' does not describe a cell; one looks like '{expected}'")
    unknown = sorted(set(cell) - set(OPERATIONS))
    if unknown:
        raise HarnessError(f"unknown operation '{unknown[0]}' in '{architecture}'; known: {', '.join(OPERATIONS)}")
    return cell


def cell_string(cell: Cell) -> str:
    """The official architecture string of a cell; the inverse of :func:`parse_cell`."""
    a, b, c, d, e, f = cell
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def enumerate_cells() -> list[Cell]:
    """All 15,625 cells, in this project's order, which never changes.

    It is the order of counting in base five: the digits are the operations in the order of ``OPERATIONS``, the edges
    stand in the order of ``EDGES``, and the last edge changes fastest. (The benchmark's own index is another order.)
    """
    return list(itertools.product(OPERATIONS, repeat=len(EDGES)))


@functools.cache
def enumerate_architectures() -> tuple[str, ...]:
    """The official strings of all cells, in the order of :func:`enumerate_cells`."""
    return tuple(cell_string(cell) for cell in enumerate_cells())


def live_cell(cell: Cell) -> Cell:
    """The cell with its dead operations set to ``none``.

    An operation is dead if no path of operations other than ``none`` that leads from the input to the output passes
    through it: its output is not used, or its input is always zero. (A trained convolution maps zeros to a constant,
    its batch norm's bias; at initialisation that is also zero.)
    """
    operation = dict(zip(EDGES, cell, strict=True))
    from_input, to_output = {0}, {NODES - 1}
    for source, target in EDGES:
        if source in from_input and operation[source, target] != "none":
            from_input.add(target)
    for source, target in reversed(EDGES):
        if target in to_output and operation[source, target] != "none":
            to_output.add(source)
    return tuple(
        name if source in from_input and target in to_output else "none" for (source, target), name in operation.items()
    )


def canonical_form(architecture: str) -> str:
    """What the cell computes, written as a sum: equal for cells that are the same function up to isomorphism.

    It is the :func:`cell_form` of the cell that the official string describes. The 15,625 cells have 5,260 forms,
    including ``0`` for the empty cell. NAS-Bench-201 reports 6,466 non-isomorphic cells (ICLR 2020, section 2.1),
    because its strings keep zeros and nested sums. Without zeros, its 6,466 become 5,390. If nested sums are also
    merged, 4,930 are left. If one convolution used twice is also distinguished from two convolutions, there are the
    5,260 of this function.

    >>> canonical_form("|skip_connect~0|+|none~0|nor_conv_1x1~1|+|none~0|nor_conv_3x3~1|skip_connect~2|")
    'nor_conv_1x1(input)+nor_conv_3x3(input)'
    >>> canonical_form("|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|skip_connect~2|")
    'nor_conv_1x1(input)+nor_conv_3x3(input)'
    """
    return cell_form(_cell_of(architecture))


def cell_form(cell: Cell, reduces: bool = False) -> str:
    """What a cell computes, written as a sum.

    Each node becomes the sorted sum of its terms. ``none`` and every operation on zero contribute nothing, a skip
    connection contributes the terms of the node it starts from, and any other operation contributes one term that
    holds its argument. Names and order of nodes thus leave no trace. A convolution has weights of its own, so one
    convolution used twice differs from two convolutions with the same input; only the one on edge 0→1 can be used
    twice, and then it is marked with ``'``. Pooling has no weights and needs no mark. Algebra beyond this (average
    pooling is linear) is not applied.

    Args:
        cell: the operation on each edge.
        reduces: whether the cell halves the resolution. A skip connection from its input is then an operation with
            weights of its own, a factorized reduction, and contributes a term like a convolution.

    >>> cell = ("skip_connect", "none", "none", "none", "skip_connect", "none")
    >>> cell_form(cell), cell_form(cell, reduces=True)
    ('input', 'factorized_reduce(input)')
    """
    op01, op02, op12, op03, op13, op23 = cell
    if reduces:
        op01, op02, op03 = ("factorized_reduce" if name == "skip_connect" else name for name in (op01, op02, op03))
    node1_used_twice = "none" not in (op12, op13, op23)
    mark = "'" if node1_used_twice and op01 in _WITH_WEIGHTS else ""
    node0 = ("input",)
    node1 = _apply(op01, node0, mark)
    node2 = (*_apply(op02, node0), *_apply(op12, node1))
    node3 = (*_apply(op03, node0), *_apply(op13, node1), *_apply(op23, node2))
    return "+".join(sorted(node3)) or "0"


def _apply(operation: str, argument: Value, mark: str = "") -> Value:
    """The terms that an edge contributes to the node it leads to."""
    if operation == "none" or not argument:
        return ()
    if operation == "skip_connect":
        return argument
    return (f"{operation}{mark}({'+'.join(sorted(argument))})",)


def membership(subset: str, architectures: Sequence[str] | None = None) -> Callable[[str], bool]:
    """A predicate for whether an architecture of NAS-Bench-201 belongs to one of ``SUBSETS``.

    Args:
        subset: a key of ``SUBSETS``.
        architectures: for ``unique``, the architectures of which the first of each class is taken, in their order;
            default: all 15,625 in the order of :func:`enumerate_cells`.

    Raises:
        UnknownNameError: if the set does not exist.
    """
    candidates = enumerate_architectures() if architectures is None else architectures
    return membership_by_cell(subset, candidates, _cell_of, canonical_form)


def membership_by_cell(
    subset: str, architectures: Sequence[str], cell_of: Callable[[str], Cell], form_of: Callable[[str], str]
) -> Callable[[str], bool]:
    """As :func:`membership`, in any space whose architectures have cells and canonical forms."""
    match subset:
        case "all":
            return lambda architecture: True
        case "connected":
            return lambda architecture: any(name != "none" for name in live_cell(cell_of(architecture)))
        case "reachable":
            return lambda architecture: live_cell(cell_of(architecture)) == cell_of(architecture)
        case "unique":
            first: dict[str, str] = {}
            for architecture in architectures:
                first.setdefault(form_of(architecture), architecture)
            return frozenset(first.values()).__contains__
        case _:
            raise UnknownNameError(unknown_name("set of cells", subset, SUBSETS))


@functools.cache
def _cells_by_string() -> dict[str, Cell]:
    return dict(zip(enumerate_architectures(), enumerate_cells(), strict=True))


def _cell_of(architecture: str) -> Cell:
    """The cell of an official string; cached, because parsing 15,625 strings takes longer than everything else here."""
    return _cells_by_string().get(architecture) or parse_cell(architecture)
