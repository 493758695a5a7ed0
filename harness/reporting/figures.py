"""The figures as files, each with its data beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DataError
from harness.reporting.bars import bar_data, plot_bars
from harness.reporting.heading import Heading
from harness.reporting.rows import Labels, main_set
from harness.reporting.scatter import plot_scatter, scatter_data
from harness.reporting.style import paper_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.benchmark import GroundTruth


TITLE_WIDTH = 44
LABEL_WIDTH = 52
"""Characters that fit in a figure of one paper column."""


def write_figures(
    directory: Path,
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    *,
    labels: Labels | None = None,
    subset: str | None = None,
) -> list[Path]:
    """Write the chart of Kendall τ and the scatter plots as PDF and PNG, and the data of each as CSV.

    Args:
        directory: where; made if it does not exist.
        table: rows of :func:`harness.analysis.correlation_table`.
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``.
        truth: the accuracies.
        heading: gives the titles.
        labels: display names of proxies.
        subset: the set of the chart; ``all`` where nothing else is said. The scatter plots show all scored networks.

    Returns:
        The files written.

    Raises:
        UnknownNameError: if the table has no such set.
        DataError: if the table is empty, or the scores cannot be joined with the accuracies.
    """
    chosen = main_set(table, subset)
    bars = bar_data(table, chosen)
    if bars.empty:
        raise DataError("the correlation table has no rows, so there is nothing to draw; compute scores first")
    axes = plot_bars(bars, labels=labels, title=heading.title(int(bars["networks"].max()), TITLE_WIDTH))
    _explain(axes, chosen, heading)
    points = scatter_data(scores, truth)
    title = heading.title(len(points))
    figure = plot_scatter(points, table, labels, title, f"{truth.split} {truth.metric}, {truth.when}")
    directory.mkdir(parents=True, exist_ok=True)
    return [
        *save_figure(axes.get_figure(root=True), directory / "kendall_by_proxy"),
        _write_data(bars, directory / "kendall_by_proxy.csv", index=False),
        *save_figure(figure, directory / "accuracy_by_score"),
        _write_data(points, directory / "accuracy_by_score.csv", index=True),
    ]


def _explain(axes: Axes, chosen: str, heading: Heading) -> None:
    """Name the set and the ground truth under the axis: a figure is read without its page."""
    where = "" if chosen == "all" else f" on the set '{chosen}'"
    text = textwrap.fill(f"Kendall τ with 95 % interval{where}, against {heading.ground_truth}", LABEL_WIDTH)
    axes.set_xlabel(text, loc="right", multialignment="center", linespacing=1.0)


def save_figure(figure: Figure | None, stem: Path) -> list[Path]:
    """Write a figure as PDF and PNG in the style of the paper; the same figure gives the same bytes."""
    assert figure is not None
    pdf, png = stem.with_suffix(".pdf"), stem.with_suffix(".png")
    with paper_style():
        # Without a date the same data give the same bytes.
        figure.savefig(pdf, metadata={"CreationDate": None})
        figure.savefig(png)
    return [pdf, png]


def _write_data(data: pd.DataFrame, path: Path, *, index: bool) -> Path:
    data.to_csv(path, index=index)
    return path
