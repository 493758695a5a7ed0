"""Exhibit: how many networks are needed to show that a proxy ranks better than the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness._utils.arguments import accepts, number, text, whole
from harness.analysis.required_n import check_by_subsampling, required_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import name_rows, row_height
from harness.display.figures.style import BLACK, BLUE, GREY, paper_style
from harness.display.tables.columns import Column, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count, signed
from harness.display.tables.rows import Labels, label_of
from harness.errors import HarnessError
from harness.exhibits.part import part_of
from harness.results import as_run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

CONFIDENCE = 0.95

SHARE_DRAWN = 4
"""The prediction is checked with draws of a quarter of the networks."""


@accepts(run=as_run, difference=number, baseline=text, power=number, draws=whole(), subset=text)
def required_n(
    run: OpenedRun,
    difference: float = 0.03,
    baseline: str = "params",
    power: float = 0.8,
    draws: int = 200,
    subset: str = "all",
) -> Exhibit:
    """How many networks a paired comparison with the baseline needs, and whether the prediction holds.

    Args:
        run: the scores.
        difference: the true difference of Kendall τ to detect.
        baseline: the row to compare the others with.
        power: the probability of detecting it.
        draws: the number of subsamples that check the prediction, each a quarter of the networks; 0: no check.
        subset: the architecture set.

    Raises:
        HarnessError: for impossible numbers, an unknown row, or one that was not scored.
    """
    if not 0 < abs(difference) < 2:
        raise HarnessError(f"a difference of {difference:g} is impossible; give one such as 0.03")
    if not 1 - CONFIDENCE < power < 1:
        raise HarnessError(f"a power of {power:g} is impossible; give one such as 0.8")
    baseline = run.row_named(baseline)
    joined, heading = part_of(run, subset, fewest=0)
    table = required_table(joined, difference, baseline, power, CONFIDENCE)
    labels = run.labels
    total = len(run.benchmark.subset(subset))
    grids = [_grid(table, labels, difference, label_of(baseline, labels), power, total)]
    drawn = len(joined) // SHARE_DRAWN
    if draws and drawn >= 10:
        grids.append(_check_grid(check_by_subsampling(joined, drawn, draws, baseline, CONFIDENCE), labels, len(joined)))
    return Exhibit(
        name="required-n",
        title=f"Networks needed to detect a difference to {label_of(baseline, labels)}",
        heading=heading,
        grids=tuple(grids),
        drawings=(
            Drawing(
                "required_n",
                f"Networks needed to detect a difference of Kendall τ to {label_of(baseline, labels)} of "
                f"{coefficient(abs(difference))} with power {_percent(power)} at {_percent(1 - CONFIDENCE)}.",
                table,
                lambda width: plot_required(table, labels, difference, width),
            ),
        ),
    )


def plot_required(table: pd.DataFrame, labels: Labels | None, difference: float, width: float) -> Figure:
    """How many networks each proxy needs for the given difference.

    Args:
        table: rows of :func:`harness.analysis.required_n.required_table`.
        labels: display names of proxies.
        difference: the difference to detect.
        width: the width in inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    known = table[table["required"].notna()]
    with paper_style():
        height = row_height(len(known), 0.16, 0.9)
        figure = Figure(figsize=(width, 0.9 + height * max(len(known), 3)), layout="constrained")
        axes = figure.add_subplot()
        places = np.arange(len(known))
        axes.hlines(places, 0, known["required"], color=GREY, linewidth=0.5)
        axes.plot(known["required"], places, "o", color=BLUE, markersize=3.5)
        axes.axvline(float(table["networks"].max()), color=BLACK, linewidth=0.7, linestyle=(0, (4, 2)))
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        name_rows(axes, [label_of(proxy, labels) for proxy in known["proxy"]], height)
        axes.grid(axis="x")
        axes.set_xlabel(f"Networks to detect Δτ = {coefficient(abs(difference))}; dashed: this run")
    return figure


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _grid(table: pd.DataFrame, labels: Labels, difference: float, baseline: str, power: float, total: int) -> Grid:
    columns = (
        row_names(table["proxy"], labels),
        Column("difference", f"Δτ to\n{baseline}", table["difference"], signed),
        Column("standard error", "SE", table["standard_error"], coefficient),
        Column("required", f"Networks\nfor {coefficient(abs(difference))}", table["required"], count),
        Column("power", "Power\nhere", table["power"], coefficient),
        Column("smallest", "Smallest\nΔτ here", table["smallest"], coefficient),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    more = int((table["required"] > total).sum())
    notes = [
        f"Networks for {coefficient(abs(difference))}: a two-sided test at {_percent(1 - CONFIDENCE)} detects a true "
        f"difference of that size with probability {_percent(power)}. Power here: with the networks of this run. "
        f"Smallest Δτ here: the difference that these networks detect with probability {_percent(power)}.",
        "Assumes networks drawn as these were, from a benchmark that is large compared with the sample, so that SE "
        "falls as 1/√n. The observed difference is not used. Not corrected for several proxies. With about 100 "
        "networks the power is slightly lower, because the jackknife then overestimates SE.",
    ]
    if more:
        notes.append(f"For {more} of {len(table)} rows that is more than the {total:,} networks there are.")
    return Grid("required_n", f"To detect {coefficient(abs(difference))}", columns, table, tuple(notes))


def _check_grid(table: pd.DataFrame, labels: Labels, networks: int) -> Grid:
    drawn, draws = (int(table[name].max()) if len(table) else 0 for name in ("networks", "draws"))
    columns = (
        row_names(table["proxy"], labels),
        Column("difference", "Δτ", table["difference"], signed),
        Column("predicted", "SD pre-\ndicted", table["deviation_predicted"], coefficient),
        Column("found", "SD\nfound", table["deviation_found"], coefficient),
        Column("power", "Power pre-\ndicted", table["power_predicted"], coefficient),
        Column("power found", "Power\nfound", table["power_found"], coefficient),
    )
    notes = (
        f"{draws} draws of {drawn:,} of the {networks:,} networks, without replacement; the difference over all "
        "networks is used as the true one. SD: standard deviation of the difference between draws. Power found: the "
        "share of draws whose interval excludes zero; its standard error is at most "
        f"{coefficient(0.5 / max(draws, 1) ** 0.5)}.",
    )
    return Grid("required_n_check", "Check of the prediction", columns, table, notes)
