"""Kendall τ of every proxy in every run, as a grid of colours with their numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.display.figures.colours import diverging, ink_on
from harness.display.figures.row_charts import letters, row_height
from harness.display.figures.style import BLACK, ONE_COLUMN, paper_style
from harness.display.tables.numbers import coefficient, typographic
from harness.display.tables.rows import Labels, label_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

UPRIGHT = 3
"""With more runs, their names are rotated, so that they do not overlap."""

ROW_HEIGHT = 0.185
LETTER_WIDTH = 0.052
"""Inches per row, if there is room, and the average inches per letter of a name."""

WIDE, STEEP = 0.45, 60
"""Inches of a column that has room for less rotated names, and the rotation of names in narrower columns in degrees."""

MARKS = {"win": "^", "loss": "v", "baseline": "D"}


def plot_heat_map(
    data: pd.DataFrame, ax: Axes | None = None, labels: Labels | None = None, *, width: float = ONE_COLUMN
) -> Axes:
    """Draw τ as number and colour; a triangle up or down means significantly better or worse than the baseline.

    Blue is a correct and orange a reversed ranking; darker colours are stronger. In greyscale, the minus sign
    distinguishes the two.

    Args:
        data: the result of :func:`harness.analysis.heatmap.across_table`; runs and proxies are drawn in its order.
        ax: the axes to draw in; default: a new figure.
        labels: display names of proxies.
        width: the width of a new figure in inches; default: one column of a paper.

    Returns:
        The axes, for further styling; ``axes.figure`` is the figure.
    """
    if ax is None:
        from matplotlib.figure import Figure

        runs, rows = data["run"].drop_duplicates(), data["proxy"].drop_duplicates()
        longest = max(map(len, runs), default=0)
        around = 0.95 + (0.4 if len(runs) <= UPRIGHT else LETTER_WIDTH * longest * math.sin(math.radians(STEEP)))
        height = row_height(len(rows), ROW_HEIGHT, around)
        beside = 0.1 + LETTER_WIDTH * max((len(label_of(name, labels)) for name in rows), default=0)
        if len(runs) > UPRIGHT:
            # The rotated name of the last run extends beyond the map.
            beside += LETTER_WIDTH * longest * math.cos(math.radians(STEEP))
        with paper_style():
            figure = Figure(figsize=(width, around + height * len(rows)), layout="constrained")
            axes = _draw(data, figure.add_subplot(), labels, (width - beside) / max(len(runs), 1), height)
            bar = figure.colorbar(axes.images[0], ax=axes, location="bottom", aspect=30, pad=0.02, shrink=0.7)
            bar.set_label("Kendall τ", labelpad=1)
            bar.ax.tick_params(labelsize="x-small")
            bar.outline.set_visible(False)
            _legend(axes, data, labels)
            return axes
    inches = ax.get_window_extent().width / ax.figure.dpi
    return _draw(data, ax, labels, inches / max(int(data["run"].nunique()), 1), ROW_HEIGHT)


def _draw(data: pd.DataFrame, ax: Axes, labels: Labels | None, cell: float, height: float) -> Axes:
    """The map, with the approximate width and height of a cell in inches."""
    runs, proxies = list(dict.fromkeys(data["run"])), list(dict.fromkeys(data["proxy"]))
    _draw_cells(ax, data, runs, proxies, _digits(cell, height))
    ax.set_yticks(range(len(proxies)), [label_of(proxy, labels) for proxy in proxies])
    ax.tick_params(axis="y", labelsize=letters(height))
    # Labels above an axis are not the same objects as those below it; they must exist before they are rotated.
    ax.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    if len(runs) <= UPRIGHT:
        ax.set_xticks(range(len(runs)), [run.replace(" ", "\n") for run in runs])
    else:
        # Each name starts above the middle of its column.
        slant = 40 if cell > WIDE else STEEP if 72 * cell * math.sin(math.radians(STEEP)) > 10 else 90
        upright = slant == 90
        ax.set_xticks(range(len(runs)), runs, rotation=slant, rotation_mode="anchor")
        for label in ax.get_xticklabels():
            label.set(horizontalalignment="left", verticalalignment="center" if upright else "bottom")
    ax.spines[:].set_visible(False)
    # White lines between the cells.
    ax.set_xticks(np.arange(0.5, len(runs) - 1), minor=True)
    ax.set_yticks(np.arange(0.5, len(proxies) - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=1)
    ax.tick_params(which="minor", length=0)
    return ax


def _digits(cell: float, height: float) -> float:
    """The size in points of numbers that fit in a cell with their mark; five characters, half as wide as high."""
    return min(6.7, 72 * cell / 3, 72 * 0.75 * height)


def _draw_cells(ax: Axes, data: pd.DataFrame, runs: list[str], proxies: list[str], size: float) -> None:
    """A colour, a number and possibly a mark for each proxy in each run that scored it."""
    values = np.full((len(proxies), len(runs)), np.nan)
    records = [(proxies.index(row["proxy"]), runs.index(row["run"]), row) for row in data.to_dict("records")]
    for place, column, row in records:
        values[place, column] = row["kendall"]
    # The scale is symmetric; otherwise a weak inversion could look as strong as a good ranking.
    end = max(0.1, math.ceil(10 * np.nanmax(np.abs(values), initial=0)) / 10)
    picture = ax.imshow(values, cmap=diverging(), vmin=-end, vmax=end, aspect="auto")
    for place, column, row in records:
        ink = ink_on(*picture.to_rgba(row["kendall"]))
        text = typographic(coefficient(row["kendall"]))
        ax.text(column, place, text, ha="center", va="center_baseline", fontsize=size, color=ink)
        if row["verdict"] in MARKS:
            # In a corner, so that it clearly belongs to one cell even if cells are narrow.
            mark = MARKS[row["verdict"]]
            ax.plot(column + 0.4, place - 0.28, mark, color=ink, markersize=2.2, markeredgewidth=0)


def _legend(ax: Axes, data: pd.DataFrame, labels: Labels | None) -> None:
    from matplotlib.lines import Line2D

    shown = set(data["verdict"])
    base = data.loc[data["verdict"] == "baseline", "proxy"]
    name = label_of(base.iloc[0], labels) if len(base) else "the baseline"
    words = {"win": f"better than {name}", "loss": "worse", "baseline": name}
    handles = [
        Line2D([], [], linestyle="", marker=MARKS[verdict], color=BLACK, markersize=3, label=word)
        for verdict, word in words.items()
        if verdict in shown
    ]
    if handles:
        ax.figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.1)
