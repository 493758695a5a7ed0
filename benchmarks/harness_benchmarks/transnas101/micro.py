"""The micro space: one fixed skeleton, and a cell like those of NAS-Bench-201 with four operations instead of five.

A code such as ``64-41414-1_02_333`` holds the channels after the stem, the modules of the skeleton and, for each node
but the first, a digit for every edge that comes in: 0 ``none``, 1 ``skip_connect``, 2 ``nor_conv_1x1``, 3
``nor_conv_3x3`` (Duan et al., CVPR 2021, section 3.1). Edges stand in the order of
:data:`harness_benchmarks.nb201.topology.EDGES`.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable

from harness.data import Contrast
from harness.errors import HarnessError
from harness_benchmarks.nb201 import topology
from harness_benchmarks.nb201.topology import EDGES, Cell

OPERATIONS = topology.OPERATIONS[:4]
"""The operation of each digit."""

MODULES = "41414"
"""The modules of every network; resolution and channels change in three of them."""

SUBSETS = topology.SUBSETS | {
    "unique": "of the cells of the whole space that are equal once dead operations are removed and skip connections "
    "followed, those with weights excepted, the first"
}

_PREFIX = f"64-{MODULES}-"
CONTRAST = Contrast.of_names(
    f"{_PREFIX}[02_]+",
    f"{_PREFIX}[13_]+",
    ("cells of 1x1 convolutions alone", "of 3x3 convolutions and skip connections"),
)
_FORM = re.compile(r"(.)_(..)_(...)", re.DOTALL)


def parse_cell(architecture: str) -> Cell:
    """The cell that an official code describes.

    >>> parse_cell("64-41414-1_02_330")
    ('skip_connect', 'none', 'nor_conv_1x1', 'nor_conv_3x3', 'nor_conv_3x3', 'none')

    Raises:
        HarnessError: if the code is not of that form; the message says what one looks like.
    """
    nodes = _FORM.fullmatch(architecture.removeprefix(_PREFIX))
    if nodes is None or not architecture.startswith(_PREFIX):
        raise HarnessError(f"'{architecture}' is not a code of the micro space, such as '{_PREFIX}1_02_333'")
    digits = "".join(nodes.groups())
    unknown = [digit for digit in digits if digit not in "0123"]
    if unknown:
        known = ", ".join(f"{digit} {name}" for digit, name in enumerate(OPERATIONS))
        raise HarnessError(f"unknown operation '{unknown[0]}' in '{architecture}'; known: {known}")
    return tuple(OPERATIONS[int(digit)] for digit in digits)


def cell_code(cell: Cell) -> str:
    """The official code of a cell; the inverse of :func:`parse_cell`."""
    digits = "".join(str(OPERATIONS.index(name)) for name in cell)
    return f"{_PREFIX}{digits[0]}_{digits[1:3]}_{digits[3:]}"


def of_digits(text: str) -> str | None:
    """The official code of six digits in any form, such as NASLib's tuples; None if it has others.

    >>> of_digits("(1, 0, 2, 3, 3, 3)")
    '64-41414-1_02_333'
    """
    digits = re.sub(r"[\s,()\[\]]", "", text)
    return f"{_PREFIX}{digits[0]}_{digits[1:3]}_{digits[3:]}" if re.fullmatch("[0-3]{6}", digits) else None


@functools.cache
def enumerate_architectures() -> tuple[str, ...]:
    """All 4,096 codes, in the order of counting in base four; the last edge changes fastest.

    That is the order of the codes as text, and the order in which the benchmark's tables list them.
    """
    return tuple(_cells_by_code())


@functools.cache
def canonical_form(architecture: str) -> str:
    """What the cell computes, written as a sum: equal for cells that are the same function up to isomorphism.

    A network has cells that keep the resolution and cells that halve it, and two codes are one network only if their
    cells are one in both kinds. In a cell that halves, a skip connection from the input node is a ReLU, two strided 1×1
    convolutions and a batch norm; in all others it is the identity. Cells that agree where it has weights agree where
    it is the identity too, so the form is that of the halving cell: see
    :func:`harness_benchmarks.nb201.topology.cell_form`. The 4,096 codes have 1,376 forms, the unconnected cells' ``0``
    among them.

    >>> canonical_form("64-41414-1_00_020")
    'nor_conv_1x1(factorized_reduce(input))'
    """
    return topology.cell_form(_cell_of(architecture), reduces=True)


def membership(subset: str) -> Callable[[str], bool]:
    """A predicate that tells whether an architecture belongs to one of ``SUBSETS``.

    Raises:
        UnknownNameError: if the set does not exist.
    """
    return topology.membership_by_cell(subset, enumerate_architectures(), _cell_of, canonical_form)


@functools.cache
def _cells_by_code() -> dict[str, Cell]:
    return {cell_code(cell): cell for cell in itertools.product(OPERATIONS, repeat=len(EDGES))}


def _cell_of(architecture: str) -> Cell:
    return _cells_by_code().get(architecture) or parse_cell(architecture)
