"""Exhibit: does any proxy beat #Params, anywhere?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, optional, text, texts
from harness._utils.names import listed
from harness.analysis.anywhere import Anywhere, anywhere_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import name_rows, row_height
from harness.display.figures.style import BLACK, BLUE, GREY, VERMILLION, paper_style
from harness.display.tables.columns import Column, row_names, words
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Headings
from harness.display.tables.numbers import MISSING, count, counted, p_value, signed
from harness.display.tables.rows import Labels, label_of
from harness.errors import HarnessError
from harness.exhibits._heading import correlations_of, heading_of
from harness.exhibits.heatmap import run_names
from harness.results import as_runs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

AROUND = 0.9
"""Inches of the figure above and below the rows."""


@accepts(runs=as_runs, subset=text, baseline=text, proxies=optional(texts))
def anywhere(
    runs: Sequence[OpenedRun],
    *,
    subset: str = "all",
    baseline: str = "params",
    proxies: Sequence[str] | None = None,
) -> Exhibit:
    """Which proxies are better or worse than #Params in which runs, and their mean ranks with a critical difference.

    Args:
        runs: runs of one or more benchmarks; those of one benchmark count as one space in the ranks.
        subset: the architecture set, which every run must have.
        baseline: the row to compare the others with in every run.
        proxies: the rows to compare in addition to the baseline; default: all.

    Raises:
        HarnessError: if no run is given, or a run lacks the set or the baseline.
        UnknownNameError: if a row does not exist.
    """
    if not runs:
        raise HarnessError("no run was given; give runs of one or more benchmarks")
    names = run_names(runs)
    tables, labels = {}, {}
    for name, run in zip(names, runs, strict=True):
        baseline = run.row_named(baseline)
        rows = correlations_of(run, baseline)
        tables[name] = rows if proxies is None else rows[rows["proxy"].isin([baseline, *map(run.row_named, proxies)])]
        labels.update(run.labels)
    spaces = {name: run.setting.benchmark for name, run in zip(names, runs, strict=True)}
    found = anywhere_table(tables, spaces, subset, baseline)
    return Exhibit(
        name="anywhere",
        title=f"Does any proxy beat {label_of(baseline, labels)}, anywhere?",
        heading=Headings({name: heading_of(run) for name, run in zip(names, runs, strict=True)}),
        grids=(_summary(found, labels), _comparisons(found, labels)),
        drawings=_drawings(found, baseline, labels),
        notes=(
            verdict(found.proxies, found.comparisons["run"].nunique(), baseline, labels),
            *_notes(found, baseline, labels),
        ),
    )


def verdict(proxies: pd.DataFrame, runs: int, baseline: str, labels: Labels) -> str:
    """One sentence: which proxies beat the baseline in at least one of the runs, and whether one does everywhere."""
    table = proxies[proxies["proxy"] != baseline]
    reference = label_of(baseline, labels)
    winners = table[table["better"] > 0].sort_values(["spaces_better", "better"], ascending=False, kind="stable")
    if winners.empty:
        return f"No proxy is shown to beat {reference} in any of the {counted(runs, 'run')}."
    clean = winners[winners["worse"] == 0]
    named = [f"{label_of(row['proxy'], labels)} ({row['better']})" for row in clean.to_dict("records")]
    everywhere = clean[clean["better"] == runs]
    last = "" if everywhere.empty else f" Everywhere: {listed(label_of(name, labels) for name in everywhere['proxy'])}."
    never = f"better somewhere and worse nowhere: {listed(named)}" if named else "each of them is worse somewhere else"
    return (
        f"{counted(len(winners), 'proxy', 'proxies')} of {len(table)} {'is' if len(winners) == 1 else 'are'} shown to "
        f"beat {reference} in at least one of {counted(runs, 'run')}; {never}.{last}"
    )


def _notes(found: Anywhere, baseline: str, labels: Labels) -> tuple[str, ...]:
    compared = int(found.comparisons["p_holm"].notna().sum())
    reference = label_of(baseline, labels)
    notes = [
        f"Better and worse: by the difference in Kendall τ to {reference} on the same networks, after Holm's "
        f"correction for all {compared:,} comparisons together. Mean Δτ: over spaces."
    ]
    ranking = found.ranking
    if not math.isnan(ranking.critical_difference):
        test = "" if math.isnan(ranking.friedman_p) else f" Friedman's test: {_equals(p_value(ranking.friedman_p))}."
        notes.append(
            f"Mean rank: by Kendall τ among the {len(ranking.rivals)} proxies that every run has, over "
            f"{counted(ranking.spaces, 'space')}; runs of one benchmark count as one, and a proxy that some runs lack "
            f"gets the place that it would have. The 95 % interval takes the spaces as the sample. Two of the "
            f"{len(ranking.rivals)} that differ by less than {ranking.critical_difference:.1f} are not shown to differ "
            f"(Nemenyi's test at 5 %).{test}"
        )
    return tuple(notes)


def _summary(found: Anywhere, labels: Labels) -> Grid:
    table = found.proxies
    columns = (
        row_names(list(table["proxy"]), labels),
        Column("runs", "Runs", table["runs"], count),
        Column("better", "Better", table["better"], count),
        Column("no different", "No\ndifferent", table["no different"], count),
        Column("worse", "Worse", table["worse"], count),
        Column("spaces", "Better\nin spaces", table["spaces_better"], count),
        Column("mean difference", "Mean\nΔτ", table["mean_difference"], signed),
        Column("ranked", "Spaces", table["spaces_ranked"], count),
        Column("mean rank", "Mean\nrank", table["mean_rank"], _rank),
        words("rank interval", "[95 %]", map(_interval, table["mean_rank_low"], table["mean_rank_high"])),
    )
    return Grid("anywhere", "Better and worse, after Holm's correction, and mean rank", columns, table)


def _equals(p: str) -> str:
    """A p-value in a sentence.

    >>> _equals(".004"), _equals("<.001")
    ('p = .004', 'p < .001')
    """
    return f"p < {p[1:]}" if p.startswith("<") else f"p = {p}"


def _rank(mean: float) -> str:
    return MISSING if math.isnan(mean) else f"{mean:.1f}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"[{low:.1f}, {high:.1f}]"


def _comparisons(found: Anywhere, labels: Labels) -> Grid:
    """Where each proxy is better; the data have all comparisons."""
    table = found.comparisons
    rows = table[table["verdict"] == "better"].sort_values("difference", ascending=False, kind="stable")
    columns = (
        row_names(list(rows["proxy"]), labels),
        Column("run", "Run", rows["run"], justify="left"),
        Column("difference", "Δτ", rows["difference"], signed),
        Column("p", "p", rows["p_holm"], p_value),
    )
    return Grid("comparisons", "Where a proxy is better", columns, table)


def _drawings(found: Anywhere, baseline: str, labels: Labels) -> tuple[Drawing, ...]:
    ranking = found.ranking
    if math.isnan(ranking.critical_difference):
        return ()
    ranked = found.proxies[found.proxies["rival"]].assign(critical_difference=ranking.critical_difference)
    reference = label_of(baseline, labels)
    return (
        Drawing(
            "mean_ranks",
            f"Mean rank by Kendall τ over {counted(ranking.spaces, 'space')}, 1 for the best. Bars are half the "
            f"critical difference to either side: proxies whose bars do not overlap differ at 5 %. The band is that "
            f"of {reference}.",
            ranked,
            lambda width: plot_mean_ranks(ranked, baseline, labels, width),
        ),
    )


def plot_mean_ranks(ranked: pd.DataFrame, baseline: str, labels: Labels, width: float) -> Figure:
    """Mean ranks, best first, with bars of half the critical difference.

    Args:
        ranked: columns ``proxy``, ``mean_rank`` and ``critical_difference``.
        baseline: the row whose band is drawn across all others.
        labels: display names.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    height = row_height(len(ranked), 0.19, AROUND)
    with paper_style():
        figure = Figure(figsize=(width, AROUND + height * max(len(ranked), 3)), layout="constrained")
        axes = figure.add_subplot()
        half = float(ranked["critical_difference"].iloc[0]) / 2
        centre = float(ranked.loc[ranked["proxy"] == baseline, "mean_rank"].iloc[0])
        axes.axvspan(centre - half, centre + half, color=GREY, alpha=0.18, linewidth=0)
        for place, (proxy, rank) in enumerate(zip(ranked["proxy"], ranked["mean_rank"], strict=True)):
            color = BLACK if proxy == baseline else BLUE if rank < centre - 2 * half else GREY
            color = VERMILLION if rank > centre + 2 * half else color
            axes.plot([rank - half, rank + half], [place, place], color=color, linewidth=1)
            axes.plot(rank, place, "D" if proxy == baseline else "o", color=color, markersize=4)
        name_rows(axes, [label_of(proxy, labels) for proxy in ranked["proxy"]], height)
        axes.set_xlabel("Mean rank (1 is best)")
        axes.grid(axis="x")
    return figure
