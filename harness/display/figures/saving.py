"""The figures as files, each with its data beside it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, number, optional
from harness._utils.arguments import path as path_of
from harness._utils.visible import visible_page, write_page
from harness.display.figures.bars import bar_data, plot_bars
from harness.display.figures.scatter import figure_data, plot_scatter, plot_scatter_pages, scatter_data
from harness.display.figures.style import ONE_COLUMN, TWO_COLUMNS, paper_style
from harness.display.tables.heading import Heading
from harness.display.tables.rows import Labels, main_set
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.contracts.ground_truth import GroundTruth


TITLE_WIDTH = 44
LABEL_WIDTH = 52
"""Characters that fit in a figure of one paper column."""

DATE = {"pdf": "CreationDate", "svg": "Date"}
"""What a format calls its time of writing; PNG holds none."""


@accepts(directory=path_of, width=optional(number))
def write_figures(
    directory: Path,
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    *,
    labels: Labels | None = None,
    subset: str | None = None,
    width: float | None = None,
) -> list[Path]:
    """Write the chart of Kendall τ and the scatter plots as PDF and PNG, and the data of each as CSV.

    Scatter plots that do not fit a page of a paper are several pages in the PDF and one picture in the PNG.

    Args:
        directory: where; made if it does not exist.
        table: rows of :func:`harness.analysis.correlation_table`.
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``.
        truth: the accuracies.
        heading: gives the titles.
        labels: display names of proxies.
        subset: the set of the chart; ``all`` where nothing else is said. The scatter plots show all scored networks.
        width: of both figures in inches; one column of a paper for the chart and two for the scatter plots unless
            given.

    Returns:
        The files written.

    Raises:
        UnknownNameError: if the table has no such set.
        DataError: if the table is empty, or the scores cannot be joined with the accuracies.
    """
    chart, bars = bars_figure(table, heading, labels=labels, subset=subset, width=width or ONE_COLUMN)
    of_points = {"labels": labels, "width": width or TWO_COLUMNS}
    panels, points = scatter_figure(table, scores, truth, heading, **of_points)  # type: ignore[arg-type]
    pages = scatter_pages(table, scores, truth, heading, **of_points)  # type: ignore[arg-type]
    directory.mkdir(parents=True, exist_ok=True)
    return [
        *save_figure(chart, directory / "kendall_by_proxy"),
        _write_data(bars, directory / "kendall_by_proxy.csv"),
        *save_figure(panels, directory / "accuracy_by_score", pages=pages),
        _write_data(figure_data(points), directory / "accuracy_by_score.csv"),
    ]


def bars_figure(
    table: pd.DataFrame,
    heading: Heading,
    *,
    labels: Labels | None = None,
    subset: str | None = None,
    width: float = ONE_COLUMN,
) -> tuple[Figure, pd.DataFrame]:
    """The chart of Kendall τ under its title, and its numbers.

    Arguments and errors are those of :func:`write_figures`.
    """
    chosen = main_set(table, subset)
    bars = bar_data(table, chosen)
    if bars.empty:
        raise DataError("the correlation table has no rows, so there is nothing to draw; compute scores first")
    title = heading.title(int(bars["networks"].max()), int(TITLE_WIDTH * width / ONE_COLUMN))
    axes = plot_bars(bars, labels=labels, title=title, width=width)
    figure = axes.get_figure(root=True)
    assert figure is not None
    _explain(axes, chosen, heading, int(LABEL_WIDTH * width / ONE_COLUMN))
    return figure, bars


def scatter_figure(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    *,
    labels: Labels | None = None,
    width: float = TWO_COLUMNS,
) -> tuple[Figure, pd.DataFrame]:
    """The scatter plots under their title, and the scores beside the accuracies.

    Arguments and errors are those of :func:`write_figures`; a table of scores of fewer proxies gives fewer panels.
    """
    points = scatter_data(scores, truth)
    metric = f"{truth.split} {truth.metric}, {truth.when}"
    return plot_scatter(points, table, labels, heading.title(len(points)), metric, width=width), points


def _explain(axes: Axes, chosen: str, heading: Heading, width: int) -> None:
    """Name the set and the ground truth under the axis: a figure is read without its page."""
    where = "" if chosen == "all" else f" on the set '{chosen}'"
    text = textwrap.fill(f"Kendall τ with 95 % interval{where}, against {heading.ground_truth}", width)
    axes.set_xlabel(text, loc="right", multialignment="center", linespacing=1.0)


def scatter_pages(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    *,
    labels: Labels | None = None,
    width: float = TWO_COLUMNS,
) -> list[Figure]:
    """The figure of :func:`scatter_figure` in as many parts as it needs to fit pages of a paper."""
    points = scatter_data(scores, truth)
    metric = f"{truth.split} {truth.metric}, {truth.when}"
    return plot_scatter_pages(points, table, labels, heading.title(len(points)), metric, width=width)


@accepts(stem=path_of)
def save_figure(
    figure: Figure | None,
    stem: Path,
    kinds: Sequence[str] = ("pdf", "png"),
    *,
    pages: Sequence[Figure] = (),
) -> list[Path]:
    """Write a figure as PDF and PNG in the style of the paper; the same figure gives the same bytes.

    Args:
        figure: what to write.
        stem: the path without its ending.
        kinds: the endings.
        pages: the same figure in parts, where it does not fit a page of a paper: the pages of the PDF.
    """
    assert figure is not None
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in kinds]
    for path, kind in zip(paths, kinds, strict=True):
        path.write_bytes(_paged_pdf(pages) if kind == "pdf" and len(pages) > 1 else figure_bytes(figure, kind))
    return paths


def _paged_pdf(pages: Sequence[Figure]) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages

    file = io.BytesIO()
    with paper_style(), PdfPages(file, metadata={DATE["pdf"]: None}) as pdf:
        for page in pages:
            pdf.savefig(page)
    return file.getvalue()


def figure_bytes(figure: Figure, kind: str, *, transparent: bool = False) -> bytes:
    """The figure as ``pdf``, ``png`` or ``svg``; the same figure gives the same bytes."""
    # Without a date the same data give the same bytes; an SVG's identifiers would else be drawn at random.
    metadata = {DATE[kind]: None} if kind in DATE else None
    file = io.BytesIO()
    _show_every_character(figure)
    with paper_style():
        figure.savefig(file, format=kind, metadata=metadata, transparent=transparent)
    return file.getvalue()


def _show_every_character(figure: Figure) -> None:
    from matplotlib.text import Text

    for written in figure.findobj(Text):
        assert isinstance(written, Text)
        if not written.get_text().isprintable():
            written.set_text(visible_page(written.get_text()))


def _write_data(data: pd.DataFrame, path: Path) -> Path:
    write_page(path, data.to_csv(index=False))
    return path
