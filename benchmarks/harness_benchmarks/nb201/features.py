"""Counts that describe a cell of NAS-Bench-201, or one of TransNAS-Bench-101's micro space."""

from __future__ import annotations

import functools

from harness_benchmarks.nb201.topology import EDGES, NODES, OPERATIONS, Cell, live_cell

NAMES = {
    "nor_conv_3x3": "3×3 convolutions",
    "nor_conv_1x1": "1×1 convolutions",
    "avg_pool_3x3": "average poolings",
    "skip_connect": "skip connections",
    "none": "zero operations",
}
"""The name of each operation's count."""

_COMPUTING = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


@functools.cache
def cell_features(cell: Cell, operations: tuple[str, ...] = OPERATIONS) -> dict[str, float]:
    """Numbers of each operation and of dead operations, depth, and number of paths.

    * one count for each operation, dead ones included;
    * ``dead operations``: operations other than ``none`` on no path of such from input to output;
    * ``depth``: the largest number of convolutions and poolings on a path from input to output; 0 without a path;
    * ``convolution depth``: the largest number of convolutions on a path; left out without pooling, where it equals the
      depth;
    * ``paths``: the number of paths of operations other than ``none`` from input to output.

    Args:
        cell: the operation on each edge.
        operations: those of the space.

    >>> cell = ("nor_conv_3x3", "none", "avg_pool_3x3", "skip_connect", "none", "none")
    >>> features = cell_features(cell)
    >>> [features[name] for name in ("3×3 convolutions", "dead operations", "depth", "paths")]
    [1, 2, 0, 1]
    """
    live = live_cell(cell)
    counts: dict[str, float] = {words: cell.count(name) for name, words in NAMES.items() if name in operations}
    counts["dead operations"] = sum(was != name for was, name in zip(cell, live, strict=True))
    counts["depth"] = _longest(live, _COMPUTING)
    if "avg_pool_3x3" in operations:
        counts["convolution depth"] = _longest(live, _COMPUTING[:2])
    counts["paths"] = _paths(live)
    return counts


def _longest(live: Cell, counted: tuple[str, ...]) -> int:
    """The largest number of counted operations on a path from input to output of a cell without dead operations."""
    reached = [0, *(-1,) * (NODES - 1)]
    for (source, target), name in zip(EDGES, live, strict=True):
        if name != "none" and reached[source] >= 0:
            reached[target] = max(reached[target], reached[source] + (name in counted))
    return max(reached[-1], 0)


def _paths(live: Cell) -> int:
    ways = [1, *(0,) * (NODES - 1)]
    for (source, target), name in zip(EDGES, live, strict=True):
        if name != "none":
            ways[target] += ways[source]
    return ways[-1]
