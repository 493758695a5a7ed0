"""Exhibit: what proxies add to the number of parameters, or to any other proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, optional, text, whole
from harness.analysis.beyond_size import BINS, beyond_table, exact_strata
from harness.analysis.statistics.ranks import rank
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import name_rows, row_height
from harness.display.figures.style import BLUE, GREY, VERMILLION, paper_style
from harness.display.tables.columns import Column, estimates, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import count
from harness.display.tables.rows import Labels, label_of
from harness.exhibits.part import part_of, unused_note
from harness.results import as_run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

ROW_HEIGHT = 0.19
"""Inches per row of the figure, if there is room; a row holds three marks."""


@accepts(run=as_run, given=text, bins=optional(whole()), subset=text)
def beyond_size(run: OpenedRun, *, given: str = "params", bins: int | None = None, subset: str = "all") -> Exhibit:
    """Rank correlations within strata of equal size, and with size held constant.

    Args:
        run: the scores.
        given: the proxy to hold constant.
        bins: the number of bins to stratify by; default: one stratum per value, if there are few distinct values.
        subset: the architecture set.

    Raises:
        UnknownNameError: if the set or the proxy does not exist.
        HarnessError: if ``given`` was not scored, or there are fewer than three networks.
    """
    given = run.row_named(given)
    joined, heading = part_of(run, subset)
    table = beyond_table(joined, given, bins=bins)
    labels, size = run.labels, label_of(given, run.labels)
    control = rank(joined.rows[given].value[joined.rows[given].usable])
    strata = (
        f"Strata: networks with the same {size}, {control.distinct} distinct values."
        if exact_strata(control, bins)
        else f"Strata: {BINS if bins is None else bins} bins of nearly equal numbers of networks, by {size}; sizes "
        "still differ a little within a bin."
    )
    return Exhibit(
        name="beyond_size",
        title=f"What the proxies add to {size}",
        heading=heading,
        grids=(_grid(table, labels, size, strata),),
        drawings=(
            Drawing(
                "beyond_size",
                f"Kendall τ with accuracy over all pairs of networks, only within strata of {size}, and partial.",
                table,
                lambda width: plot_beyond(table, labels, size, width),
            ),
        ),
        notes=unused_note(joined, labels),
    )


def plot_beyond(table: pd.DataFrame, labels: Labels | None, size: str, width: float) -> Figure:
    """τ over all pairs, within strata, and partial, one row per proxy.

    Args:
        table: rows of :func:`harness.analysis.beyond_size.beyond_table`.
        labels: display names of proxies.
        size: the label of what is held constant.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    with paper_style():
        height = row_height(len(table), ROW_HEIGHT, 0.9)
        figure = Figure(figsize=(width, 0.9 + height * max(len(table), 3)), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(table))
        axes.axvline(0, color=GREY, linewidth=0.6)
        for name, colour, marker, shift, label in (
            ("kendall", GREY, "o", -0.2, "all pairs"),
            ("within", BLUE, "D", 0.0, f"within strata of {size}"),
            ("partial_kendall", VERMILLION, "^", 0.2, f"partial, given {size}"),
        ):
            at = [place + shift for place in places]
            axes.hlines(at, table[f"{name}_low"], table[f"{name}_high"], color=colour, linewidth=1.0)
            axes.plot(
                table[name],
                at,
                marker,
                color=colour,
                markersize=3.2 * height / ROW_HEIGHT,
                label=label,
                markerfacecolor="white" if name == "kendall" else colour,
            )
        name_rows(axes, [label_of(proxy, labels) for proxy in table["proxy"]], height)
        axes.grid(axis="x")
        axes.set_xlabel("Kendall τ with 95 % interval")
        figure.legend(loc="outside lower center", ncols=3 if width > 5 else 2, handletextpad=0.1, columnspacing=0.8)
    return figure


def _grid(table: pd.DataFrame, labels: Labels, size: str, strata: str) -> Grid:
    columns = (
        row_names(table["proxy"], labels),
        estimates("τ", "Kendall τ\n[95 %]", table, "kendall"),
        estimates("within", "τ within strata\n[95 %]", table, "within"),
        estimates("partial τ", "Partial τ\n[95 %]", table, "partial_kendall"),
        estimates("partial ρ", "Partial ρ\n[95 %]", table, "partial_spearman"),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    pairs = f"{table['pairs'].max():.1%}" if len(table) else "none"
    notes = (
        f"{strata} {pairs.replace('%', ' %')} of all pairs lie within one stratum.",
        f"τ within strata: τ-b over only these pairs. Partial: with {size} held constant, by formula. Near 0: the "
        f"proxy says little about accuracy that {size} does not say. –: it orders the networks exactly as {size} does.",
    )
    return Grid("beyond_size", f"Kendall τ within strata of {size}, best first", columns, table, notes)
