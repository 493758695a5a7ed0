"""Charts with one row for each proxy: as high as the rows need, and never higher than a page of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.display.figures.style import PAGE_HEIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_SIZE = 8.0
"""Points of a row's name where there is room for it, as in ``paper.mplstyle``."""

UPRIGHT_SIZE, SMALLEST_LETTERS = 7.5, 3.5
"""Points of the names of a matrix's columns: where there is room, and below which nobody could read them."""


def row_height(rows: int, preferred: float, around: float) -> float:
    """Inches for each row: the preferred height, or less where the chart would not fit on a page.

    Args:
        rows: how many rows there are.
        preferred: inches of a row where there is room.
        around: inches of the figure above and below the rows.

    >>> row_height(14, 0.19, 0.9), round(row_height(62, 0.19, 0.9), 3)
    (0.19, 0.126)
    """
    return min(preferred, (PAGE_HEIGHT - around) / max(rows, 1))


def name_rows(axes: Axes, names: Sequence[str], height: float) -> None:
    """Write the names of the rows beside the vertical axis, first row on top, in letters that fit a row.

    Args:
        axes: where the rows are drawn at 0, 1, 2, ….
        names: of the rows.
        height: of a row in inches.
    """
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=letters(height))


def letters(height: float) -> float:
    """The size in points of letters that fit in a row of so many inches.

    >>> letters(0.19), round(letters(0.1), 1)
    (8.0, 6.3)
    """
    return min(NAME_SIZE, 72 * 0.88 * height)


def name_columns(axes: Axes, names: Sequence[str], width: float, first: int = 0) -> None:
    """Write the names of a matrix's columns upright, in letters that fit; or say that they are those of the rows.

    Args:
        axes: where the columns are drawn at first, first + 1, ….
        names: of the columns.
        width: of a column in inches.
        first: where the first column is.
    """
    size = min(UPRIGHT_SIZE, 72 * 0.95 * width)
    if size >= SMALLEST_LETTERS:
        axes.set_xticks(range(first, first + len(names)), list(names), rotation=90)
        axes.tick_params(axis="x", length=0, labelsize=size)
    else:
        axes.set_xticks([])
        axes.set_xlabel("columns in the order of the rows, from left to right", fontsize="small")
