"""Exhibit: the difference between each two proxies, and whether it is significant after correction for many tests."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness._utils.arguments import accepts, optional, text
from harness.analysis.pairs import pair_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import UPRIGHT_SIZE, letters, name_columns, row_height
from harness.display.figures.style import BLACK, GREY, paper_style
from harness.display.tables.columns import Column, estimates, row_names, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count, counted, p_value, signed
from harness.display.tables.rows import Labels, label_of
from harness.exhibits.part import part_of
from harness.results import as_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

LEVEL = 0.05
"""A corrected p-value below this is significant."""

LIST_WIDTH = 70
"""Maximum number of characters for a list of proxies in a table; the CSV file has the full list."""

FEWEST_INCHES = 0.3
"""The difference is not written into cells that are narrower than this."""


@accepts(run=as_run, against=optional(text), subset=text)
def pairs(run: OpenedRun, against: str | None = None, subset: str = "all") -> Exhibit:
    """Paired differences between all pairs of proxies, or between one proxy and each other one.

    Args:
        run: the scores.
        against: compare the others only with this row.
        subset: the architecture set.

    Raises:
        HarnessError: for an unknown set or row, or fewer than two proxies.
    """
    if against is not None:
        against = run.row_named(against)
    joined, heading = part_of(run, subset, fewest=0)
    table = pair_table(joined, against=against)
    labels = run.labels
    what = "all pairs of proxies" if against is None else f"each proxy and {label_of(against, labels)}"
    drawings = (
        Drawing(
            "pairs",
            "Difference of Kendall τ, row minus column, proxies from best to worst. Dot: not significant at 5 % after "
            f"Holm's correction for all {len(table)} pairs; cross: undefined.",
            table,
            lambda width: plot_pairs(table, labels, width),
        ),
    )
    return Exhibit(
        name="pairs",
        title=f"Paired differences between {what}",
        heading=heading,
        # Against a single proxy there is no matrix to draw; all pairs are too many to print.
        grids=(_summary_grid(table, labels) if against is None else _grid(table, labels),),
        drawings=drawings if against is None else (),
    )


def plot_pairs(table: pd.DataFrame, labels: Labels | None, width: float) -> Figure:
    """The matrix of differences of Kendall τ, row minus column, proxies from best to worst.

    Args:
        table: rows of :func:`harness.analysis.pairs.pair_table` for all pairs.
        labels: display names of proxies.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    place = {name: index for index, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    for row in table[table["kendall_p_holm"] < LEVEL].to_dict("records"):
        values[place[row["first"]], place[row["second"]]] = row["kendall_difference"]
    found = values[np.isfinite(values)]
    # Otherwise a single proxy far below the rest would make all other cells pale.
    most = float(np.quantile(found, 0.85)) if len(found) else 1.0
    least = min(0.0, float(found.min(initial=0)))
    with paper_style():
        around = 1.2
        side = max(row_height(len(names), 0.11, around), (0.62 * width - 0.1) / len(names))
        figure = Figure(figsize=(width, around + side * len(names)), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(values, cmap="Blues", vmin=least, vmax=most, aspect="auto")
        _mark(axes, table, place, most, written=width / (len(names) + 4) >= FEWEST_INCHES)
        shown = [label_of(name, labels) for name in names]
        name_columns(axes, shown[1:], 0.7 * width / len(names), first=1)
        axes.set_yticks(range(len(names) - 1), shown[:-1])
        axes.set_xlim(0.5, len(names) - 0.5)
        axes.set_ylim(len(names) - 1.5, -0.5)
        axes.tick_params(axis="y", length=0, labelsize=min(UPRIGHT_SIZE, letters(0.8 * side)))
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axes, aspect=30, location="bottom", pad=0.02, extend="max")
        bar.outline.set_visible(False)
        bar.set_label("Kendall τ of the row minus that of the column")
        axes.text(0.02, 0.03, "dot: not significant\n(Holm, 5 %)", transform=axes.transAxes, va="bottom")
    return figure


def _mark(axes: Axes, table: pd.DataFrame, place: Mapping[str, int], most: float, *, written: bool) -> None:
    """Mark each cell: a dot if the difference is not significant, a cross if it is undefined, else the value."""
    for row in table.to_dict("records"):
        x, y = place[row["second"]], place[row["first"]]
        value = row["kendall_difference"]
        if math.isnan(row["kendall_p_holm"]):
            axes.plot(x, y, "x", color=GREY, markersize=3)
        elif row["kendall_p_holm"] >= LEVEL:
            axes.plot(x, y, "o", color=GREY, markersize=2)
        elif written:
            color = "white" if value > 0.6 * most else BLACK
            axes.text(x, y, signed(value), ha="center", va="center", fontsize="small", color=color)


def _summary_grid(table: pd.DataFrame, labels: Labels) -> Grid:
    """How many other proxies each proxy is better and worse than, and which it does not differ from significantly."""
    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    rows = []
    for name in names:
        better: list[str] = []
        worse: list[str] = []
        unclear: list[str] = []
        for row in table[(table["first"] == name) | (table["second"] == name)].to_dict("records"):
            other = row["second"] if row["first"] == name else row["first"]
            ahead = (row["kendall_difference"] > 0) == (row["first"] == name)
            if row["kendall_p_holm"] < LEVEL:
                (better if ahead else worse).append(other)
            elif row["kendall_p_holm"] >= LEVEL:
                unclear.append(other)
        undefined = len(names) - 1 - len(better) - len(worse) - len(unclear)
        rows.append((name, len(better), len(worse), len(unclear), undefined, " ".join(unclear)))
    columns_of_data = ["proxy", "better_than", "worse_than", "not_told_from", "undefined", "these"]
    summary = pd.DataFrame(rows, columns=columns_of_data)
    shown = [", ".join(label_of(other, labels) for other in these.split()) for these in summary["these"]]
    columns = (
        row_names(names, labels),
        Column("better", "Better\nthan", summary["better_than"], count),
        Column("worse", "Worse\nthan", summary["worse_than"], count),
        Column("unclear", "Not dif-\nferent", summary["not_told_from"], count),
        words("these", "from", (textwrap.shorten(text, LIST_WIDTH, placeholder=" …") for text in shown)),
    )
    title = "Kendall τ compared with all others, best first, after Holm's correction"
    return Grid("pairs_by_proxy", title, columns, summary, (*_notes(table), "All pairs: pairs.csv, with --out."))


def _grid(table: pd.DataFrame, labels: Labels) -> Grid:
    columns = (
        words("first", "First", (label_of(name, labels) for name in table["first"])),
        words("second", "Second", (label_of(name, labels) for name in table["second"])),
        Column("first τ", "τ", table["kendall_first"], coefficient),
        Column("second τ", "τ", table["kendall_second"], coefficient),
        estimates("difference", "Δτ\n[95 %]", table, "kendall_difference", "kendall_low", "kendall_high", sign=True),
        Column("p", "p", table["kendall_p"], p_value),
        Column("Holm", "Holm", table["kendall_p_holm"], p_value),
        Column("BH", "B.-H.", table["kendall_p_bh"], p_value),
        Column("ρ", "Δρ", table["spearman_difference"], signed),
        Column("ρ Holm", "Δρ\nHolm", table["spearman_p_holm"], p_value),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    return Grid("pairs", "Differences of Kendall τ", columns, table, _notes(table))


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    tested = int(table["kendall_p"].notna().sum())
    undefined = len(table) - tested
    found = ", ".join(f"{int((table[column] < LEVEL).sum())} {way}" for way, column in _WAYS.items())
    lacking = f" {undefined} more cannot be tested: a score is constant, or nothing varies." if undefined else ""
    return (
        f"Of {counted(tested, 'pair')}, p < .05: {found}.{lacking}",
        "Each pair is compared on the networks for which both have a finite score. Holm: the probability of any false "
        "difference is at most the level. Benjamini-Hochberg: the expected share of false ones among those found is.",
    )


_WAYS = {"uncorrected": "kendall_p", "after Benjamini-Hochberg": "kendall_p_bh", "after Holm": "kendall_p_holm"}
