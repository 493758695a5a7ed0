"""Charts with one row per proxy: as high as the rows need, but never higher than a page of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.display.figures.style import PAGE_HEIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_SIZE = 8.0
"""Font size of row names in points, if there is room; as in ``paper.mplstyle``."""

UPRIGHT_SIZE, SMALLEST_LETTERS = 7.5, 3.5
"""Font size of column names of a matrix in points: if there is room, and the smallest readable size."""


def row_height(rows: int, preferred: float, around: float) -> float:
    """Inches per row: the preferred height, or less if the chart would not fit on a page.

    Args:
        rows: the number of rows.
        preferred: inches per row, if there is room.
        around: inches of the figure above and below the rows.

    >>> row_height(14, 0.19, 0.9), round(row_height(62, 0.19, 0.9), 3)
    (0.19, 0.126)
    """
    return min(preferred, (PAGE_HEIGHT - around) / max(rows, 1))


def name_rows(axes: Axes, names: Sequence[str], height: float) -> None:
    """Write the names of the rows at the vertical axis, first row on top, in letters that fit a row.

    Args:
        axes: the axes with rows at 0, 1, 2, ….
        names: the names of the rows.
        height: the height of a row in inches.
    """
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=letters(height))


def letters(height: float) -> float:
    """The font size in points that fits a row of this height in inches.

    >>> letters(0.19), round(letters(0.1), 1)
    (8.0, 6.3)
    """
    return min(NAME_SIZE, 72 * 0.88 * height)


def name_columns(axes: Axes, names: Sequence[str], width: float, first: int = 0) -> None:
    """Write the names of a matrix's columns vertically, or, if they do not fit, a note that they equal the rows'.

    Args:
        axes: the axes with columns at first, first + 1, ….
        names: the names of the columns.
        width: the width of a column in inches.
        first: the place of the first column.
    """
    size = min(UPRIGHT_SIZE, 72 * 0.95 * width)
    if size >= SMALLEST_LETTERS:
        axes.set_xticks(range(first, first + len(names)), list(names), rotation=90)
        axes.tick_params(axis="x", length=0, labelsize=size)
    else:
        axes.set_xticks([])
        axes.set_xlabel("columns in the order of the rows, from left to right", fontsize="small")
