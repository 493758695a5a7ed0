"""Exhibit: the true Pareto front of accuracy against cost, and the fronts that proxies choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text, texts
from harness.analysis.pareto import pareto_table
from harness.analysis.search import OPTIMUM
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, SERIES, paper_style
from harness.display.tables.columns import Column, best_cells, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, counted
from harness.display.tables.rows import Labels, label_of
from harness.display.tables.values import quantity
from harness.exhibits.network_costs import NetworkCost, network_costs
from harness.exhibits.part import part_of
from harness.exhibits.pool import orientation_note, row_labels, shown_rows, unscored_note
from harness.results import as_run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.analysis.joined import Joined
    from harness.results import OpenedRun

_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
UNSCORED = "they are never chosen."


@accepts(run=as_run, costs=texts, subset=text, shown=texts)
def pareto(run: OpenedRun, *, costs: Sequence[str] = (), subset: str = "all", shown: Sequence[str] = ()) -> Exhibit:
    """How close the front that each proxy chooses is to the true Pareto front.

    Args:
        run: the run; proxies choose among its scored networks.
        costs: ``params``, ``flops``, or columns of the benchmark's costs; default: the sizes that the run scored.
        subset: the architecture set to choose from.
        shown: the rows of the figures; default: #Params and the best ones.

    Raises:
        HarnessError: see :func:`harness.exhibits.network_costs.network_costs`.
        UnknownNameError: if the set, the cost or the row does not exist.
    """
    pool, heading = part_of(run, subset, fewest=1)
    labels = row_labels(run.labels, "Random score", "True front")
    grids, drawings = [], []
    for cost in network_costs(run, pool, costs):
        table, points = pareto_table(pool, cost.values)
        rows = shown_rows(table, shown, "hypervolume")
        grids.append(_grid(table, points, cost, labels, pool))
        drawings.append(_drawing(points, rows, cost, labels, pool, run.truth.metric))
    notes = (
        "A proxy's front: the networks that are non-dominated in score and cost (a random one of several with equal "
        "score and cost), and of these the ones with the best accuracy up to their cost. Expected values over ties.",
        "Hypervolume: as a share of the true front's; reference point: the highest cost and the worst accuracy.",
        *orientation_note(run),
    )
    return Exhibit("pareto", "Pareto fronts of accuracy and cost", heading, tuple(grids), tuple(drawings), notes)


def plot_pareto(
    points: pd.DataFrame,
    shown: Sequence[str],
    labels: Labels,
    width: float,
    axes_labels: tuple[str, str],
    end: float,
    bottom: float,
) -> Figure:
    """Fronts as steps: the best accuracy up to each cost.

    Args:
        points: the second table of :func:`harness.analysis.pareto.pareto_table`.
        shown: the proxies to show in addition to the true front.
        labels: display names.
        width: the width in inches.
        axes_labels: the labels for cost and accuracy.
        end: the highest cost, where the last steps end.
        bottom: where the accuracy axis starts.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    with paper_style():
        figure = Figure(figsize=(width, 0.55 * width + 0.9), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate([OPTIMUM, *shown], start=-1):
            part = points[points["row"] == row]
            true = row == OPTIMUM
            axes.step(
                [*part["cost"], end],
                [*part["accuracy"], part["accuracy"].iloc[-1]],
                where="post",
                color=BLACK if true else SERIES[place % len(SERIES)],
                linestyle="-" if true else _STYLES[place % len(_STYLES)],
                linewidth=0.9 if true else 1.2,
                marker="o" if true else "",
                markersize=2.5,
                markevery=list(range(len(part))),
                label=label_of(row, labels),
                zorder=2 if true else 3,
            )
        highest = float(points["accuracy"].max())
        axes.set_ylim(bottom, highest + 0.06 * (highest - bottom))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value)))
        axes.set_xlabel(axes_labels[0])
        axes.set_ylabel(axes_labels[1])
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2 if width < 5 else 3)
    return figure


def _drawing(
    points: pd.DataFrame, shown: Sequence[str], cost: NetworkCost, labels: Labels, pool: Joined, metric: str
) -> Drawing:
    import numpy as np

    # Below the median network the fronts are similar and would take up most of the figure.
    bottom = _bottom(points, shown, float(np.median(pool.accuracy)))
    end = float(np.nanmax(cost.values))
    return Drawing(
        f"pareto_front_{cost.name}",
        f"Best accuracy up to each {cost.label}: the true Pareto front, and the accuracies of the networks that "
        "proxies choose. The vertical axis starts at the median accuracy of the networks.",
        points[points["row"].isin([*shown, OPTIMUM])].reset_index(drop=True),
        lambda width: plot_pareto(points, shown, labels, width, (cost.label, metric), end, bottom),
    )


def _bottom(points: pd.DataFrame, shown: Sequence[str], median: float) -> float:
    """The median, unless a front stays below it."""
    highest = points[points["row"].isin(shown)].groupby("row")["accuracy"].max().tolist()
    return min([median, *(float(value) for value in highest)])


def _grid(table: pd.DataFrame, points: pd.DataFrame, cost: NetworkCost, labels: Labels, pool: Joined) -> Grid:
    import numpy as np

    ordered = table.sort_values("hypervolume", ascending=False, kind="stable", na_position="last")
    ordered = ordered.sort_values("kind", key=lambda kinds: kinds != "optimum", kind="stable")
    columns = (
        row_names(ordered["row"], labels),
        Column(
            "hypervolume",
            "Hyper-\nvolume",
            ordered["hypervolume"],
            coefficient,
            best=best_cells(ordered["kind"], ordered["hypervolume"]),
        ),
        Column("choices", "Networks\nchosen", ordered["choices"], _expected),
        Column("found", "Of the\ntrue front", ordered["found"], _expected),
    )
    known = int(np.isfinite(cost.values).sum())
    members = int(table["front"].iloc[0])
    notes = [
        f"{cost.label}: {cost.source}; {counted(known, 'network')}, of which {members:,} are on the true front. Every "
        "chosen network has to be trained.",
        *unscored_note(table, labels, known, UNSCORED),
    ]
    return Grid(
        f"pareto_{cost.name}", f"Fronts against {cost.label}", columns, ordered.assign(cost=cost.name), tuple(notes)
    )


def _expected(value: float) -> str:
    """A number of networks, with a decimal if it is an expected value."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
