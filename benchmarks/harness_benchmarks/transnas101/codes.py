"""An official code of either space, read."""

from __future__ import annotations

from dataclasses import dataclass

from harness_benchmarks.nb201.topology import Cell
from harness_benchmarks.transnas101 import macro, micro


@dataclass(frozen=True)
class Code:
    """What a code says about a network.

    Attributes:
        modules: a digit for each module; see :mod:`harness_benchmarks.transnas101.skeleton`.
        cell: the operations of every cell; None where the cells are residual blocks.
    """

    modules: str
    cell: Cell | None


def parse_code(architecture: str) -> Code:
    """The code of either space; one that ends in ``-basic`` is of the macro space.

    Raises:
        HarnessError: if it is none; the message says what one looks like.
    """
    if architecture.endswith(macro.SUFFIX):
        return Code(macro.parse_modules(architecture), None)
    return Code(micro.MODULES, micro.parse_cell(architecture))
