"""A heat map of coefficients with the numbers in its cells, so that it is readable in greyscale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.display.figures.colours import diverging, ink_on
from harness.display.figures.row_charts import letters, name_columns, row_height
from harness.display.figures.style import BLACK, paper_style
from harness.display.tables.numbers import printed, typographic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW_HEIGHT = 0.165
SMALLEST, LARGEST = 3.0, 6.5
"""Minimum and maximum size of the numbers in points; they are fitted to the width of a cell."""


def plot_matrix(
    values: pd.DataFrame,
    width: float,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    label: str,
    rule_after: int | None = None,
) -> Figure:
    """Coefficients from -1 (vermillion) to 1 (blue) as coloured cells with their numbers.

    Differences beyond ±1 have the colour of ±1.

    Args:
        values: the coefficients; NaN is a dash on white.
        width: the width of the figure in inches.
        rows: the names of the rows.
        columns: the names of the columns.
        label: the label of the colour bar.
        rule_after: draw a line below this number of rows.
    """
    from matplotlib.figure import Figure

    numbers = values.to_numpy(dtype=np.float64)
    longest = max(map(len, columns), default=0)
    with paper_style():
        around = 0.7 + 0.055 * longest
        height = row_height(len(values), ROW_HEIGHT, around)
        figure = Figure(figsize=(width, around + height * len(values)), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(numbers, cmap=diverging(), vmin=-1, vmax=1, aspect="auto")
        # Room for the cells without names and colour bar; a number is about 2.1 times as wide as its font size.
        cell = 72 * (width - 0.35 - 0.058 * max(map(len, rows), default=0)) / max(len(columns), 1)
        size = min(LARGEST, cell / 2.1, 72 * 0.75 * height)
        if size >= SMALLEST:
            shades = image.to_rgba(numbers)
            for (row, column), value in np.ndenumerate(numbers):
                colour = ink_on(*shades[row, column])
                axes.text(column, row, _short(value), ha="center", va="center", fontsize=size, color=colour)
        axes.set_yticks(range(len(rows)), rows)
        name_columns(axes, columns, cell / 72)
        axes.tick_params(length=0)
        axes.tick_params(axis="y", labelsize=letters(height))
        axes.spines[:].set_visible(False)
        if rule_after is not None:
            axes.axhline(rule_after - 0.5, color=BLACK, linewidth=0.8)
        figure.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.7, aspect=30, pad=0.02)
    return figure


def _short(value: float) -> str:
    """A coefficient with two decimals (one beyond 1), no leading zero, and a typographic minus sign.

    >>> _short(0.256), _short(-0.002), _short(-1.174), _short(1.0)
    ('.26', '.00', '−1.2', '1')
    """
    if not abs(value) >= 0.995:
        return typographic(printed(value, 2))
    return typographic(f"{value:.1f}".removesuffix(".0"))
