"""Parsing official codes of both spaces."""

from __future__ import annotations

from dataclasses import dataclass

from harness_benchmarks.nb201.topology import Cell
from harness_benchmarks.transnas101 import macro, micro


@dataclass(frozen=True)
class Code:
    """The content of a code.

    Attributes:
        modules: one digit per module; see :mod:`harness_benchmarks.transnas101.skeleton`.
        cell: the operations of every cell; None if the cells are residual blocks.
    """

    modules: str
    cell: Cell | None


def parse_code(architecture: str) -> Code:
    """Parse a code of either space; codes that end in ``-basic`` are of the macro space.

    Raises:
        HarnessError: if it is not a code; the message shows an example.
    """
    if architecture.endswith(macro.SUFFIX):
        return Code(macro.parse_modules(architecture), None)
    return Code(micro.MODULES, micro.parse_cell(architecture))
