"""How other projects write cells of NAS-Bench-201 and of TransNAS-Bench-101's micro space."""

from __future__ import annotations

import functools
import random
import re

from harness.contracts.dialect import Dialect
from harness_benchmarks.nb201 import topology

NASLIB_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
NASLIB_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""NASLib's encoding: each edge's operation as an index into this list, in this order of edges."""

_SIX = re.compile(r"\s*[(\[]?\s*([0-4])" + r"\s*,\s*([0-4])" * 5 + r"\s*[)\]]?\s*")
_ORDER_SEED = 88
"""The seed with which the benchmark's authors shuffled its cells into the official order."""


def of_op_indices(text: str) -> str | None:
    """The official string of a cell in NASLib's encoding, in which HW-NAS-Bench's tables are too.

    >>> of_op_indices("(4, 3, 3, 0, 0, 0)")
    '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'
    """
    found = _SIX.fullmatch(text)
    if found is None:
        return None
    operation = dict(zip(NASLIB_EDGES, (NASLIB_OPERATIONS[int(digit)] for digit in found.groups()), strict=True))
    return topology.cell_string(tuple(operation[edge] for edge in topology.EDGES))


def of_spaced_string(text: str) -> str | None:
    """The official string of a cell that is written with blanks.

    >>> of_spaced_string("|none~0| + |none~0 | none~1| + |none~0|none~1|none~2|")
    '|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    closed = re.sub(r"\s+", "", text)
    return closed if closed in _every_string() else None


@functools.cache
def official_order() -> tuple[str, ...]:
    """The official strings in the order of NATS-Bench's index.

    The authors list the cells in this project's order and shuffle them with a fixed seed. A test compares the result
    with the published order's checksum.
    """
    order = list(topology.enumerate_architectures())
    random.Random(_ORDER_SEED).shuffle(order)  # noqa: S311
    return tuple(order)


def of_index(text: str) -> str | None:
    """The official string of a cell's number in NATS-Bench.

    >>> of_index("0")
    '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'
    """
    order = official_order()
    return order[int(text)] if text.isascii() and text.isdigit() and int(text) < len(order) else None


@functools.cache
def _every_string() -> frozenset[str]:
    return frozenset(topology.enumerate_architectures())


SPACED = Dialect("official strings with blanks", of_spaced_string, "|none~0| + |none~0|none~1| + …")
OP_INDICES = Dialect("op indices of NASLib", of_op_indices, "(4, 3, 3, 0, 0, 0)")
INDEX = Dialect("numbers in NATS-Bench's order", of_index, "6111")
