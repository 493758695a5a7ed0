"""Tables and figures of correlations as an exhibit, and separately."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, number, optional, path
from harness.display.exhibit import Exhibit
from harness.display.figures.correlations import bars_drawing, scatter_drawing
from harness.display.tables.correlations import (
    cost_grid,
    main_grid,
    paper_grid,
    published_grid,
    sets_grid,
    terminal_grid,
)
from harness.display.tables.heading import Heading
from harness.display.tables.rows import Labels, can_be_ranked, has_several_sets, main_set, set_rows
from harness.display.tables.seeds import seeds_grid

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.contracts.ground_truth import GroundTruth
    from harness.display.figures.drawing import Drawing


def exhibit_of(
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    subset: str | None = None,
    drawings: tuple[Drawing, ...] = (),
    published: pd.DataFrame | None = None,
    seeds: pd.DataFrame | None = None,
) -> Exhibit:
    """The main table, the mean over seeds, Kendall τ in each set, the costs, and the published coefficients.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        costs: rows of :func:`harness.analysis.cost_table`, or None.
        heading: the facts behind the numbers.
        labels: display names of proxies.
        subset: the architecture set of the main table; default: ``all``.
        drawings: the figures.
        published: rows of :func:`harness.analysis.published.beside_published`, or None.
        seeds: rows of :func:`harness.analysis.seeds.seed_table`, or None.

    Raises:
        UnknownNameError: if the table lacks the set.
    """
    chosen = main_set(table, subset)
    grids, terminal = [main_grid(table, chosen, labels, seeds)], [terminal_grid(table, chosen, labels, costs, seeds)]
    paper = [paper_grid(table, chosen, labels)]
    if seeds is not None:
        grids.append(seeds_grid(seeds, labels))
        if seeds["kendall"].notna().any():
            terminal.append(grids[-1])
        paper.append(seeds_grid(seeds, labels, paper=True))
    if has_several_sets(table):
        grids.append(sets_grid(table, chosen, heading.sets, labels))
        if can_be_ranked(set_rows(table, chosen)):
            terminal.append(grids[-1])
        paper.append(sets_grid(table, chosen, heading.sets, labels, paper=True))
    if costs is not None and not costs.empty:
        grids.append(cost_grid(costs, labels))
    if published is not None:
        for tables in (grids, terminal, paper):
            tables.append(published_grid(published, labels))
    title = "Rank correlation of proxies with true accuracy"
    return Exhibit("correlations", title, heading, tuple(grids), drawings, terminal=tuple(terminal), paper=tuple(paper))


def print_tables(
    console: Console,
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    *,
    subset: str | None = None,
) -> None:
    """Print the heading, the main table and, if there are several sets, Kendall τ in each of them.

    Columns that do not fit are omitted, the least important first, and named below the table.

    Args:
        console: where to print; its width determines which columns are shown.
        table: rows of :func:`harness.analysis.correlation_table`.
        costs: rows of :func:`harness.analysis.cost_table`, or None.
        heading: the facts printed above.
        labels: display names of proxies.
        subset: the architecture set of the main table; default: ``all``.

    Raises:
        UnknownNameError: if the table lacks the set.
    """
    exhibit_of(table, costs, heading, labels, subset).show(console, title=False)


@accepts(directory=path)
def write_tables(
    directory: Path,
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    *,
    subset: str | None = None,
) -> list[Path]:
    """Write the tables of a run.

    ``correlations.csv`` and ``costs.csv`` have all sets with full precision and the registered names of proxies;
    ``correlations.md`` and ``correlations.tex`` have the heading and rounded numbers.

    Args:
        directory: the output directory; created if it does not exist.
        table: rows of :func:`harness.analysis.correlation_table`.
        costs: rows of :func:`harness.analysis.cost_table`, or None.
        heading: the facts written with every table.
        labels: display names of proxies.
        subset: the architecture set of the main table; default: ``all``.

    Returns:
        The files written.

    Raises:
        UnknownNameError: if the table lacks the set.
    """
    return exhibit_of(table, costs, heading, labels, subset).write(directory)


@accepts(directory=path, width=optional(number))
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

    Scatter plots that do not fit a page of a paper have several pages in the PDF file, but are one picture in the PNG
    file.

    Args:
        directory: the output directory; created if it does not exist.
        table: rows of :func:`harness.analysis.correlation_table`.
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``.
        truth: the accuracies.
        heading: the source of the titles.
        labels: display names of proxies.
        subset: the architecture set of the chart; default: ``all``. The scatter plots show all scored networks.
        width: the width of both figures in inches; default: one column of a paper for the chart, two for the scatter
            plots.

    Returns:
        The files written.

    Raises:
        UnknownNameError: if the table lacks the set.
        DataError: if the table is empty, or the scores cannot be joined with the accuracies.
    """
    drawings = drawings_of(table, scores, truth, heading, labels, subset)
    directory.mkdir(parents=True, exist_ok=True)
    return [file for drawing in drawings for file in drawing.write(directory, width)]


def drawings_of(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    truth: GroundTruth,
    heading: Heading,
    labels: Labels | None = None,
    subset: str | None = None,
) -> tuple[Drawing, Drawing]:
    """The chart of Kendall τ and the scatter plots; arguments and errors are those of :func:`write_figures`."""
    return bars_drawing(table, heading, labels, subset), scatter_drawing(table, scores, truth, heading, labels)
