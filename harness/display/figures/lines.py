"""One line per proxy over a logarithmic axis: the baseline in black, a few in colour, the others in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.display.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, paper_style
from harness.display.tables.rows import Labels, label_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's colours with enough contrast to white; markers distinguish lines in greyscale.
LOOKS = (
    (BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (PURPLE, "v"), (ORANGE, "P"), (SKY, "X"),
    ("#8B5A2B", "<"), ("#444444", ">"),
)  # fmt: skip
MOST = len(LOOKS)
PALE = "#c8c8c8"
"""The colour of the other lines."""


def highlighted(order: Sequence[str], baseline: str | None, wanted: Sequence[str] | None = None) -> list[str]:
    """The proxies to highlight in addition to the baseline: the requested ones, or the first of an order.

    >>> highlighted(["zico", "params", "naswot"], "params")
    ['zico', 'naswot']
    """
    return [name for name in (order if wanted is None else wanted) if name != baseline][:MOST]


def plot_lines(
    lines: Mapping[str, pd.Series[float]],
    width: float,
    *,
    stand_out: Sequence[str],
    baseline: str | None,
    labels: Labels | None,
    xlabel: str,
    ylabel: str,
    dotted: str | None = None,
) -> Figure:
    """Draw each series over its index, on a logarithmic axis.

    Args:
        lines: the series of each proxy; the index has the x values.
        width: the width in inches.
        stand_out: the lines in colour, at most :data:`MOST`.
        baseline: the line in black.
        labels: display names of proxies.
        xlabel: the label of the logarithmic axis.
        ylabel: the label of the other axis.
        dotted: a line that is not a proxy, such as chance.
    """
    from matplotlib.figure import Figure

    with paper_style():
        columns = 3 if width < 5 else 5
        rows = -(-(len(stand_out) + 2 + (dotted is not None)) // columns)
        figure = Figure(figsize=(width, 2.0 + 0.15 * rows), layout="constrained")
        axes = figure.add_subplot()
        for name, line in lines.items():
            if name not in (baseline, dotted, *stand_out):
                axes.plot(line.index, line, color=PALE, linewidth=0.7, zorder=1)
        for name, (colour, marker) in zip(stand_out, LOOKS, strict=False):
            label = label_of(name, labels)
            axes.plot(lines[name].index, lines[name], color=colour, marker=marker, markersize=3.2, label=label)
        if baseline in lines and baseline is not None:
            line, label = lines[baseline], label_of(baseline, labels)
            axes.plot(line.index, line, color=BLACK, linewidth=1.8, marker="D", markersize=3.2, zorder=4, label=label)
        if dotted in lines and dotted is not None:
            line, label = lines[dotted], label_of(dotted, labels)
            axes.plot(line.index, line, color=BLACK, linestyle=(0, (1, 1.5)), zorder=3, label=label)
        if set(lines) - {baseline, dotted, *stand_out}:
            axes.plot([], [], color=PALE, label="others")
        finish(axes, lines, xlabel, ylabel)
        figure.legend(loc="outside lower center", ncols=columns, handletextpad=0.4, columnspacing=1.0)
    return figure


def finish(axes: Axes, lines: Mapping[str, pd.Series[float]], xlabel: str, ylabel: str) -> None:
    """Axes, ticks at the computed points, and a line at zero if it is crossed."""
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xscale("log")
    points = sorted({float(point) for line in lines.values() for point in line.index})
    axes.set_xticks(points, [f"{point:,g}" for point in points])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    if any((line < 0).any() for line in lines.values()):
        axes.axhline(0, color=GREY, linewidth=0.5, zorder=0)
    axes.grid(axis="y")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
