"""Exhibit: random search; how accurate is the network with the best score of N drawn networks?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness._utils.arguments import accepts, optional, several, text, texts, whole, yes_or_no
from harness.analysis.search import (
    OPTIMUM,
    RANDOM,
    checked_sizes,
    curve_sizes,
    growth_table,
    search_table,
    simulated_search,
)
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, GREY, SERIES, paper_style
from harness.display.tables.columns import Column, best_cells, row_names, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import count
from harness.display.tables.rows import Labels, label_of
from harness.display.tables.values import accuracy_writer, signed_writer
from harness.exhibits.part import part_of
from harness.exhibits.pool import orientation_note, row_labels, shown_rows, unscored_note
from harness.results import as_run

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

_MARKS = "osD^vP"
FAR_BELOW = 1.25
"""A random draw is omitted from the figure if it would extend the vertical axis by more than this factor."""

UNSCORED = "such a network is chosen only if no other was drawn."


@accepts(
    run=as_run,
    draws=optional(several(whole())),
    replacement=yes_or_no,
    repetitions=whole(),
    seed=whole(),
    subset=text,
    shown=texts,
)
def search(
    run: OpenedRun,
    *,
    draws: Sequence[int] | None = None,
    replacement: bool = True,
    repetitions: int = 10_000,
    seed: int = 0,
    subset: str = "all",
    shown: Sequence[str] = (),
) -> Exhibit:
    """Random search with each proxy, computed exactly, and simulated as a check.

    Args:
        run: the run; networks are drawn from its scored ones.
        draws: the numbers of networks to draw; default: EPE-NAS's.
        replacement: whether a network may be drawn twice.
        repetitions: the number of simulated searches of each size; 0: none.
        seed: the seed for the simulated searches.
        subset: the architecture set to draw from.
        shown: the rows of the figure; default: #Params and the best ones.

    Raises:
        HarnessError: see :func:`harness.analysis.search.search_table`.
        UnknownNameError: if the set or the row does not exist.
    """
    pool, heading = part_of(run, subset, fewest=1)
    sizes = checked_sizes(len(pool), draws, replacement)
    curve = search_table(pool, curve_sizes(sizes) if len(sizes) > 1 else sizes, replacement=replacement)
    table = curve[curve["draws"].isin(sizes)].reset_index(drop=True)
    labels = row_labels(run.labels, "Random (first draw)", "Optimum (best draw)")
    write = accuracy_writer(pool.accuracy)
    notes = [_meaning(len(pool), sizes, replacement)]
    if repetitions:
        simulated = simulated_search(pool, sizes, replacement=replacement, repetitions=repetitions, seed=seed)
        table = table.assign(
            simulated_accuracy=simulated["accuracy"],
            simulated_deviation=simulated["deviation"],
            repetitions=repetitions,
        )
        notes.append(_agreement(table, repetitions, seed))
    growth = growth_table(curve)
    notes += [*unscored_note(table, labels, len(pool), UNSCORED), *orientation_note(run)]
    largest = table[table["draws"] == sizes[-1]]
    return Exhibit(
        name="search",
        title="Random search with the proxies",
        heading=heading,
        grids=(_grid(table, growth, sizes, labels, write, tuple(notes)),),
        drawings=(
            Drawing(
                "search_curve",
                "Accuracy of the network with the best score of N drawn networks: mean over all searches, with bands "
                "of one standard deviation between searches, cut off at the best network and at the end of the axis.",
                curve,
                lambda width: plot_search(
                    curve,
                    shown_rows(largest, shown, "accuracy"),
                    sizes,
                    labels,
                    width,
                    run.truth.metric,
                    (float(pool.accuracy.min()), float(pool.accuracy.max())),
                ),
            ),
        ),
    )


def plot_search(
    curve: pd.DataFrame,
    shown: Sequence[str],
    sizes: Sequence[int],
    labels: Labels,
    width: float,
    metric: str,
    limits: tuple[float, float],
) -> Figure:
    """Accuracy against the number of draws.

    Args:
        curve: rows of :func:`harness.analysis.search.search_table` over many sizes.
        shown: the proxies to show; a random and a perfect choice are always shown.
        sizes: the numbers of draws that have marks.
        labels: display names.
        width: the width in inches.
        metric: the label of the vertical axis.
        limits: the accuracies of the worst and the best network, where the bands end.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    by_row = {row: curve[curve["row"] == row] for row in (OPTIMUM, RANDOM, *shown)}
    low, high = _view(by_row, limits)
    chance = float(by_row[RANDOM]["accuracy"].mean())
    with paper_style():
        figure = Figure(figsize=(width, 0.55 * width + 0.9), layout="constrained")
        axes = figure.add_subplot()
        axes.set_ylim(low, high)
        lines = [(OPTIMUM, BLACK, "-")]
        if chance >= low:
            lines.append((RANDOM, GREY, "--"))
        else:
            # Drawn to scale it would take up most of the axis and hide the differences between proxies.
            below = f"{label_of(RANDOM, labels)}: {accuracy_writer(limits)(chance)}, below this axis"
            axes.annotate(
                f"↓ {below}", (0.98, 0.03), xycoords="axes fraction", ha="right", va="bottom", fontsize="small",
                color=GREY, zorder=5,
            )  # fmt: skip
        for row, color, style in lines:
            axes.plot(by_row[row]["draws"], by_row[row]["accuracy"], style, color=color, label=label_of(row, labels))
        for place, row in enumerate(shown):
            part, color = by_row[row], SERIES[place % len(SERIES)]
            under, over = part["accuracy"] - part["deviation"], part["accuracy"] + part["deviation"]
            axes.fill_between(
                part["draws"], under.clip(*limits), over.clip(*limits), color=color, alpha=0.12, linewidth=0
            )
            marked = np.flatnonzero(part["draws"].isin(sizes)).tolist()
            axes.plot(
                part["draws"],
                part["accuracy"],
                "-" + _MARKS[place % len(_MARKS)],
                color=color,
                markersize=3,
                markevery=marked,
                label=label_of(row, labels),
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 5.0) if max(sizes) <= 100 * min(sizes) else (1.0,)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_xlabel("networks drawn")
        axes.set_ylabel(metric)
        axes.grid(axis="y")
        figure.legend(loc="outside lower center", ncols=2 if width < 5 else 3)
    return figure


def _view(by_row: Mapping[str, pd.DataFrame], limits: tuple[float, float]) -> tuple[float, float]:
    """The range of accuracies that a figure shows: all means, except that of a random draw if it is far below.

    Args:
        by_row: the curve of each row.
        limits: the accuracies of the worst and the best network.
    """
    means = {row: part["accuracy"] for row, part in by_row.items()}
    top = max(limits[1], *(float(values.max()) for values in means.values()))
    bottom = min(float(values.min()) for row, values in means.items() if row != RANDOM)
    chance = float(means[RANDOM].min())
    if top - chance <= FAR_BELOW * (top - bottom):
        bottom = min(bottom, chance)
    margin = 0.05 * (top - bottom) or 0.05 * abs(top) or 1.0
    return bottom - margin, top + margin


def _grid(
    table: pd.DataFrame,
    growth: pd.DataFrame,
    sizes: Sequence[int],
    labels: Labels,
    write: Callable[[float], str],
    notes: tuple[str, ...],
) -> Grid:
    wide = table.pivot(index="row", columns="draws", values=["accuracy", "deviation"])
    rows = list(wide["accuracy", sizes[-1]].sort_values(ascending=False, kind="stable").index)
    wide = wide.loc[rows]
    kinds = table.drop_duplicates("row").set_index("row")["kind"].reindex(rows)
    by_row = growth.set_index("row").reindex(rows)
    columns = [row_names(rows, labels)]
    for size in sizes:
        mean, spread = wide["accuracy", size], wide["deviation", size]
        spreads = [f"± {write(value)}" for value in spread]
        best = best_cells(kinds, mean)
        columns.append(Column(f"N = {size}", f"N = {size:,}", mean, write, bounds=spreads, best=best))
    if len(sizes) > 1:
        peak = by_row["peak"].where(by_row.index != RANDOM)
        columns += [
            Column("change", f"Change\n{sizes[0]:,} → {sizes[-1]:,}", by_row["change"], signed_writer(write)),
            words("grows", "Grows\nwith N", ("yes" if value else "no" for value in by_row["grows"])),
            Column("peak", "Best\nat N", peak, count),
        ]
    data = table.merge(growth, on="row", how="left")
    return Grid("search", "Accuracy of the network with the best score of N", tuple(columns), data, notes)


def _meaning(networks: int, sizes: Sequence[int], replacement: bool) -> str:
    how = "with replacement, as EPE-NAS draws" if replacement else "without replacement"
    grows = (
        f" Grows: the mean never falls between {sizes[0]:,} and {sizes[-1]:,}. Best at N: where it is highest."
        if len(sizes) > 1
        else ""
    )
    return (
        f"Mean ± standard deviation between single searches, over all draws of N of these {networks:,} networks {how}, "
        f"in closed form; ties are broken at random.{grows} The deviation does not include the drawing of the run's "
        "own sample."
    )


def _agreement(table: pd.DataFrame, repetitions: int, seed: int) -> str:
    """The largest distance of a simulated mean from the exact one, in standard errors."""
    error = table["deviation"] / np.sqrt(repetitions)
    known = error > 0
    most = ((table["simulated_accuracy"] - table["accuracy"]).abs()[known] / error[known]).max() if known.any() else 0.0
    return (
        f"Check: the means of {repetitions:,} simulated searches of each size (seed {seed}) differ from these by at "
        f"most {most:.1f} of their standard errors."
    )
