"""Score against accuracy, one small panel per proxy."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis.scores import wide_scores
from harness.display.figures.scatter_panel import MANY_POINTS, Panel, View, accuracy_view, make_panel, plot_panel
from harness.display.figures.style import PAGE_HEIGHT, TWO_COLUMNS, VERMILLION, paper_style
from harness.display.tables.numbers import count
from harness.display.tables.rows import Labels, label_of, main_set, set_rows
from harness.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.contracts.ground_truth import GroundTruth

PANEL_WIDTH = 1.35
"""Inches; five panels fill the width of a page."""

TITLE_SIZE = 9.0
"""Font size of panel titles in points, if there is room; as in ``paper.mplstyle``."""

SMALLEST_PANEL = 1.1
"""Width of a panel in inches if there are more panels than fit a page."""


def scatter_data(scores: pd.DataFrame, truth: GroundTruth) -> pd.DataFrame:
    """Accuracy and scores side by side: one row per architecture, one column per proxy.

    Scores that are not finite or whose status is not ``ok`` are missing values here. The scores are not oriented: if
    lower is better, a good proxy's points fall to the right.

    Args:
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``.
        truth: the accuracies.

    Returns:
        A table indexed by architecture with the column ``accuracy`` first.

    Raises:
        HarnessError: if an architecture has two scores of one proxy.
        DataError: if none has an accuracy.
    """
    wide = wide_scores(scores)
    wide.insert(0, "accuracy", truth.accuracy.reindex(wide.index))
    wide = wide[wide["accuracy"].notna()]
    if wide.empty:
        raise DataError(f"none of the scored architectures has an accuracy in {truth.benchmark} ({truth.describe()})")
    return wide


def density_data(data: pd.DataFrame) -> pd.DataFrame:
    """The numbers of a density figure: one row per hexagon.

    The columns are ``proxy``; ``score`` and ``accuracy``, the centre of the hexagon, where the score is a rank if
    ``by_rank`` is true; and ``networks``, the number of networks in it.

    Args:
        data: the result of :func:`scatter_data`.
    """
    tables = []
    for proxy, panel in _panels(data, [name for name in data.columns if name != "accuracy"]).items():
        if panel.counts is not None:
            counts = panel.counts.rename(columns={"x": "score", "y": "accuracy"})
            tables.append(counts.assign(proxy=proxy, by_rank=panel.by_rank))
    order = ["proxy", "by_rank", "score", "accuracy", "networks"]
    return pd.concat(tables, ignore_index=True)[order] if tables else pd.DataFrame(columns=order)


def figure_data(data: pd.DataFrame) -> pd.DataFrame:
    """The CSV data of the figure: one row per network, or per hexagon if there are many networks."""
    return data.reset_index() if len(data) <= MANY_POINTS else density_data(data)


def plot_scatter(
    data: pd.DataFrame,
    table: pd.DataFrame | None = None,
    labels: Labels | None = None,
    title: str | None = None,
    metric: str = "accuracy",
    *,
    columns: int | None = None,
    width: float = TWO_COLUMNS,
) -> Figure:
    """Draw a panel of score against accuracy for each proxy, with τ and ρ in its emptiest corner.

    Heavy-tailed and nearly equal scores are drawn by their rank; the axis label says so. More than 5,000 networks are
    drawn as densities with one scale for all panels. Networks outside the view are drawn at its edge and counted below
    the panels.

    Args:
        data: the result of :func:`scatter_data`.
        table: the correlation table; its set ``all`` determines the order of the panels and their coefficients.
        labels: display names of proxies.
        title: the title of the figure; None: no title.
        metric: the label of the vertical axis.
        columns: panels per row; default: as many as fit.
        width: the width of the figure in inches.

    Returns:
        A figure, for further styling or saving.
    """
    proxies, coefficients = _order(data, table)
    columns = columns or int(width / PANEL_WIDTH)
    return _plot(_panels(data, proxies), len(data), coefficients, labels, title, metric, columns, width)


def plot_scatter_pages(
    data: pd.DataFrame,
    table: pd.DataFrame | None = None,
    labels: Labels | None = None,
    title: str | None = None,
    metric: str = "accuracy",
    *,
    width: float = TWO_COLUMNS,
) -> list[Figure]:
    """The panels of :func:`plot_scatter` on several figures, each of which fits a page of a paper.

    All have the same range of accuracies. Arguments are those of :func:`plot_scatter`.
    """
    proxies, coefficients = _order(data, table)
    columns = int(width / PANEL_WIDTH)
    if _height(len(proxies), columns, width) <= PAGE_HEIGHT:
        return [plot_scatter(data, table, labels, title, metric, width=width)]
    columns = max(1, int(width / SMALLEST_PANEL + 1e-9))
    rows = max(row for row in range(1, 100) if row == 1 or _height(row * columns, columns, width) <= PAGE_HEIGHT)
    panels = _panels(data, proxies)
    most = max((panel.most for panel in panels.values()), default=0)
    pages = math.ceil(len(proxies) / (rows * columns))
    # Distribute whole rows of panels evenly over the pages.
    each = columns * math.ceil(len(proxies) / columns / pages)
    figures = []
    for page in range(pages):
        here = {name: panels[name] for name in proxies[page * each : (page + 1) * each]}
        heading = None if title is None else f"{title} ({page + 1} of {pages})"
        figures.append(_plot(here, len(data), coefficients, labels, heading, metric, columns, width, most))
    return figures


def _height(panels: int, columns: int, width: float) -> float:
    """Height in inches of a figure with this number of panels."""
    columns = max(1, min(columns, panels))
    if panels == 1:
        return 0.78 * width
    return 0.5 + 1.38 * max(1, math.ceil(panels / columns)) * math.sqrt(width / columns / PANEL_WIDTH)


def _plot(
    panels: Mapping[str, Panel],
    networks: int,
    coefficients: Mapping[str, tuple[float, float]],
    labels: Labels | None,
    title: str | None,
    metric: str,
    columns: int,
    width: float,
    most: int | None = None,
) -> Figure:
    """A figure of panels, at most ``columns`` per row; ``most`` networks per hexagon have the darkest colour."""
    from matplotlib.figure import Figure

    columns = max(1, min(columns, len(panels)))
    panel_rows = max(1, math.ceil(len(panels) / columns))
    most = max((panel.most for panel in panels.values()), default=0) if most is None else most
    height = _height(len(panels), columns, width)
    with paper_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(panel_rows, columns, sharey=True, squeeze=False)
        filled = None
        for ax, (proxy, panel) in zip(axes.flat, panels.items(), strict=False):
            filled = plot_panel(panel, ax, coefficients=coefficients.get(proxy), most=most) or filled
            name = label_of(proxy, labels)
            # A letter is about half as wide as high.
            fitting = 72 * 0.95 * width / columns / (0.5 * max(len(name), 1))
            ax.set_title(name, pad=3, fontsize=min(TITLE_SIZE, fitting))
        for ax in axes.flat[len(panels) :]:
            ax.set_visible(False)
        if filled is not None:
            bar = figure.colorbar(
                filled, ax=axes, location="right", shrink=1 / panel_rows, anchor=(0, 1), aspect=18, pad=0.01
            )
            bar.set_label("networks", fontsize="small")
            bar.ax.tick_params(labelsize="x-small")
            bar.outline.set_visible(False)
        figure.supylabel(textwrap.fill(metric, 26 * panel_rows), fontsize="medium", multialignment="center")
        note = _note(next(iter(panels.values())).view, networks) if panels else ""
        if note:
            figure.supxlabel(textwrap.fill(note, int(16 * width)), fontsize="small", color=VERMILLION)
        if title is not None:
            figure.suptitle(textwrap.fill(title, int(13 * width)), fontsize="large", linespacing=1.0)
    return figure


def _panels(data: pd.DataFrame, proxies: Iterable[str]) -> dict[str, Panel]:
    """The contents of each panel; all have the same range of accuracies."""
    accuracy = data["accuracy"].to_numpy(dtype=np.float64)
    view = accuracy_view(accuracy)
    panels = {}
    for proxy in proxies:
        scores = data[proxy].to_numpy(dtype=np.float64)
        scored = np.isfinite(scores)
        panels[proxy] = make_panel(scores[scored], accuracy[scored], view)
    return panels


def _order(data: pd.DataFrame, table: pd.DataFrame | None) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """The proxies in the order of the panels, and (τ, ρ) of each that has them."""
    present = [name for name in data.columns if name != "accuracy"]
    if table is None:
        return present, {}
    rows = set_rows(table, main_set(table)).to_dict("records")
    coefficients = {row["proxy"]: (row["kendall"], row["spearman"]) for row in rows if row["proxy"] in present}
    return [*coefficients, *(name for name in present if name not in coefficients)], coefficients


def _note(view: View, networks: int) -> str:
    if view.outside == 0:
        return ""
    where = "lies outside the view and is drawn" if view.outside == 1 else "lie outside the view and are drawn"
    marks = "a triangle" if view.outside == 1 else "triangles"
    return f"{count(view.outside)} of {count(networks)} networks {where} at its edge, as {marks}."
