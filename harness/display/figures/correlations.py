"""The figures of a report: the chart of Kendall τ, and score against accuracy."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.display.figures.bars import bar_data, plot_bars
from harness.display.figures.drawing import Drawing, figure_of
from harness.display.figures.scatter import figure_data, plot_scatter, plot_scatter_pages, scatter_data
from harness.display.figures.style import ONE_COLUMN
from harness.display.tables.heading import Heading
from harness.display.tables.rows import Labels, main_set, set_rows, verdict_note
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.contracts.ground_truth import GroundTruth

TITLE_WIDTH = 44
LABEL_WIDTH = 52
"""Characters that fit in a figure of one paper column."""


def bars_drawing(
    table: pd.DataFrame, heading: Heading, labels: Labels | None = None, subset: str | None = None
) -> Drawing:
    """The chart of Kendall τ with its title.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        heading: the source of the title.
        labels: display names of proxies.
        subset: the architecture set; default: ``all``.

    Raises:
        UnknownNameError: if the table lacks the set.
        DataError: if the table is empty.
    """
    chosen = main_set(table, subset)
    bars = bar_data(table, chosen)
    if bars.empty:
        raise DataError("the correlation table has no rows, so there is nothing to draw; compute scores first")
    where = "" if chosen == "all" else f" on the set '{chosen}'"
    explained = f"Kendall τ with 95 % interval{where}, against {heading.ground_truth}"

    def draw(width: float) -> Figure:
        title = heading.title(int(bars["networks"].max()), int(TITLE_WIDTH * width / ONE_COLUMN))
        axes = plot_bars(bars, labels=labels, title=title, width=width)
        # The figure must be understandable without the surrounding page.
        text = textwrap.fill(explained, int(LABEL_WIDTH * width / ONE_COLUMN))
        axes.set_xlabel(text, loc="right", multialignment="center", linespacing=1.0)
        return figure_of(axes)

    caption = f"Kendall τ with its 95 % interval. {verdict_note(set_rows(table, chosen), labels)}"
    return Drawing("kendall_by_proxy", caption, bars, draw)


def scatter_drawing(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    labels: Labels | None = None,
    *,
    name: str = "accuracy_by_score",
    wide: bool = True,
) -> Drawing:
    """Score against accuracy, one panel per proxy; in parts if they do not fit a page of a paper.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``; fewer proxies give
            fewer panels.
        truth: the accuracies.
        heading: the source of the title.
        labels: display names of proxies.
        name: the stem of its files.
        wide: whether its default width is two columns of a paper instead of one.

    Raises:
        DataError: if the scores cannot be joined with the accuracies.
    """
    points = scatter_data(scores, truth)
    what = (points, table, labels, heading.title(len(points)), truth.axis)
    return Drawing(
        name,
        "Score against accuracy: each point is a network, or each hexagon several if there are more than 5,000. "
        "Heavy-tailed scores are drawn by their rank; τ and ρ are those of the table.",
        figure_data(points),
        lambda width: plot_scatter(*what, width=width),
        lambda width: plot_scatter_pages(*what, width=width),
        wide,
    )
