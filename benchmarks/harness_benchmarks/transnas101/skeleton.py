"""The skeleton that all networks of TransNAS-Bench-101 share: a stem, then modules of two cells each.

A digit says what a module does: ``1`` keeps channels and resolution, ``2`` doubles the channels, ``3`` halves the
resolution, ``4`` does both. Its first cell does it, its second keeps both (Duan et al., CVPR 2021, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STEM_WIDTHS = (32, 64)
"""The channels after each convolution of the stem, both of which halve the resolution."""

CELLS_PER_MODULE = 2
DOUBLES = frozenset("24")
HALVES = frozenset("34")


@dataclass(frozen=True)
class CellShape:
    """The shape of one cell.

    Attributes:
        inputs: the channels that come in.
        outputs: the channels that go out.
        stride: 2 where the cell halves the resolution, else 1.
    """

    inputs: int
    outputs: int
    stride: int


def cell_shapes(modules: str) -> Iterator[CellShape]:
    """Each cell of the modules, in their order.

    >>> list(cell_shapes("4"))
    [CellShape(inputs=64, outputs=128, stride=2), CellShape(inputs=128, outputs=128, stride=1)]
    """
    width = STEM_WIDTHS[-1]
    for module in modules:
        inputs, width = width, width * 2 if module in DOUBLES else width
        yield CellShape(inputs, width, 2 if module in HALVES else 1)
        for _ in range(CELLS_PER_MODULE - 1):
            yield CellShape(width, width, 1)


def output_width(modules: str) -> int:
    """The channels of the backbone's feature map."""
    return STEM_WIDTHS[-1] << sum(module in DOUBLES for module in modules)


def halvings(modules: str) -> int:
    """How often stem and modules halve the resolution; a network's total stride is two to this power.

    >>> halvings("41414")
    5
    """
    return len(STEM_WIDTHS) + sum(module in HALVES for module in modules)


def module_features(modules: str) -> dict[str, float]:
    """The number of modules, how often they double the channels and halve the resolution, and how early.

    ``early doublings`` and ``early halvings`` are those of the first two modules.

    >>> module_features("1234")
    {'modules': 4, 'doublings': 2, 'halvings': 2, 'early doublings': 1, 'early halvings': 0}
    """
    return {
        "modules": len(modules),
        "doublings": sum(module in DOUBLES for module in modules),
        "halvings": sum(module in HALVES for module in modules),
        "early doublings": sum(module in DOUBLES for module in modules[:2]),
        "early halvings": sum(module in HALVES for module in modules[:2]),
    }
