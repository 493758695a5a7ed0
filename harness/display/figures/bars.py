"""The chart of Kendall τ of each proxy, with intervals, compared with #Params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.display.figures.row_charts import letters, name_rows, row_height
from harness.display.figures.style import BLACK, BLUE, GREY, ONE_COLUMN, VERMILLION, paper_style
from harness.display.tables.numbers import coefficient, typographic
from harness.display.tables.rows import Labels, baseline_row, label_of, main_set, set_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ["proxy", "kendall", "kendall_low", "kendall_high", "verdict", "used", "networks"]

# Shape and fill also show the verdict: the chart must be readable in greyscale.
MARKERS: Mapping[str, Mapping[str, Any]] = {
    "baseline": {"marker": "D", "color": BLACK, "markersize": 4.2},
    "win": {"marker": "^", "color": BLUE, "markersize": 4.8},
    "tie": {"marker": "o", "color": GREY, "markersize": 4.6, "markerfacecolor": "white"},
    "loss": {"marker": "v", "color": VERMILLION, "markersize": 4.8},
    "undefined": {"marker": "o", "color": BLACK, "markersize": 4.6},
    "no baseline": {"marker": "o", "color": BLACK, "markersize": 4.6},
}


def bar_data(table: pd.DataFrame, subset: str | None = None) -> pd.DataFrame:
    """The numbers of the chart: one row per proxy, best first, those without a coefficient last.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        subset: the architecture set to show; default: ``all``.

    Raises:
        UnknownNameError: if the table lacks the set.
    """
    return set_rows(table, main_set(table, subset))[COLUMNS].reset_index(drop=True)


MANY_PROXIES = 30
"""With more proxies, rows are closer, so that the page also has room for text."""

AROUND = 1.15
"""Inches of the chart above and below the rows."""


def plot_bars(
    data: pd.DataFrame,
    ax: Axes | None = None,
    labels: Labels | None = None,
    title: str | None = None,
    *,
    width: float = ONE_COLUMN,
) -> Axes:
    """Draw Kendall τ with its interval for each proxy; the baseline's value and interval are drawn across all rows.

    Args:
        data: the result of :func:`bar_data`.
        ax: the axes to draw in; default: a new figure.
        labels: display names of proxies.
        title: the title; None: no title.
        width: the width of a new figure in inches; default: one column of a paper.

    Returns:
        The axes, for further styling; ``axes.figure`` is the figure.
    """
    if ax is None:
        from matplotlib.figure import Figure

        with paper_style():
            figure = Figure(figsize=(width, AROUND + _row_height(len(data)) * max(len(data), 3)), layout="constrained")
            axes = plot_bars(data, figure.add_subplot(), labels)
            if title is not None:
                # Above the whole figure, because long proxy names leave little room above the axes.
                figure.suptitle(title, x=0.02, ha="left", linespacing=1.0)
            return axes
    from matplotlib.transforms import ScaledTranslation

    records = data.to_dict("records")
    base = baseline_row(data)
    if base is not None and base["kendall"] == base["kendall"]:
        ax.axvspan(base["kendall_low"], base["kendall_high"], color=BLACK, alpha=0.09, linewidth=0)
        ax.axvline(base["kendall"], color=BLACK, linewidth=0.7, linestyle=(0, (4, 2)))
    if (data["kendall"] < 0).any():
        ax.axvline(0, color=BLACK, linewidth=0.5)
    # The values are at the same distance from the axes in figures of any width.
    beside = ax.get_yaxis_transform() + ScaledTranslation(0.32, 0, ax.figure.dpi_scale_trans)
    size = letters(_row_height(len(records))) * (0.72 if len(records) > MANY_PROXIES else 0.833)
    for place, row in enumerate(records):
        # A proxy without a coefficient keeps its row, to show that it was tried.
        value = typographic(coefficient(row["kendall"]))
        ax.text(1, place, value, transform=beside, va="center_baseline", ha="right", fontsize=size)
        if row["kendall"] == row["kendall"]:
            ax.plot([row["kendall_low"], row["kendall_high"]], [place, place], color=MARKERS[row["verdict"]]["color"])
            ax.plot(row["kendall"], place, linestyle="", **MARKERS[row["verdict"]])
    name_rows(ax, [label_of(row["proxy"], labels) for row in records], _row_height(len(records)))
    ax.grid(axis="x")
    ax.set_xlabel("Kendall τ with 95 % interval")
    if title is not None:
        ax.set_title(title, loc="left", linespacing=1.0)
    _legend(ax, data, "baseline" if base is None else label_of(base["proxy"], labels))
    return ax


def _row_height(rows: int) -> float:
    """Inches per row of a chart with this number of rows."""
    return row_height(rows, 0.175 if rows <= MANY_PROXIES else 0.13, AROUND)


def _legend(ax: Axes, data: pd.DataFrame, baseline: str) -> None:
    from matplotlib.lines import Line2D

    words = {"baseline": baseline, "win": "win", "tie": "tie", "loss": "loss"}
    shown = [verdict for verdict in words if (data["verdict"] == verdict).any()]
    handles = [Line2D([], [], linestyle="", label=words[verdict], **MARKERS[verdict]) for verdict in shown]
    if handles:
        ax.figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.1)
