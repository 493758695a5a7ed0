"""Exhibit: how well proxies rank the best networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from harness._utils.arguments import accepts, number, one_of, optional, several, text, texts
from harness.analysis.top import PERCENTS, By, top_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.lines import highlighted, plot_lines
from harness.display.tables.columns import Column, best_cells, estimates, row_names, verdict_column
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count, p_value
from harness.display.tables.rows import Labels, label_of
from harness.exhibits.part import part_of, unused_note
from harness.results import as_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

SELECTED: Mapping[By, str] = {
    "truth": "selected by true accuracy",
    "proxy": "selected by each proxy's own score",
}
_LINES = ["proxy", "percent", "networks", "kendall", "kendall_low", "kendall_high"]


@accepts(
    run=as_run,
    by=one_of("truth", "proxy"),
    percents=several(number),
    subset=text,
    baseline=text,
    highlight=optional(texts),
)
def top(
    run: OpenedRun,
    *,
    by: By = "truth",
    percents: Sequence[float] = PERCENTS,
    subset: str = "all",
    baseline: str = "params",
    highlight: Sequence[str] | None = None,
) -> Exhibit:
    """Rank correlations among the top p % of the networks.

    Args:
        run: the scores.
        by: what selects the top: the true accuracy, or each proxy's own score.
        percents: the percentages p.
        subset: the architecture set.
        baseline: the row to compare the others with, if the selection is by truth.
        highlight: the proxies in colour, eight at most; default: the best for the largest and the smallest percentage.

    Raises:
        UnknownNameError: if the set or the proxy does not exist.
        HarnessError: for a percentage outside (0, 100], or fewer than three networks.
    """
    baseline = run.row_named(baseline)
    highlight = None if highlight is None else [run.row_named(name) for name in highlight]
    joined, heading = part_of(run, subset)
    table = top_table(joined, percents, by=by, baseline=baseline)
    labels = run.labels
    shares = sorted(set(percents), reverse=True)
    stand_out = highlighted(_alternately(table, shares), baseline, highlight)
    notes = (_rule(by), *unused_note(joined, labels))
    return Exhibit(
        name="top",
        title=f"Ranking the best networks, {SELECTED[by]}",
        heading=heading,
        grids=(
            _curve_grid(table, shares, labels, by, joined.kind),
            _share_grid(table[table["percent"] == shares[-1]], labels, by, label_of(baseline, labels)),
        ),
        drawings=(
            Drawing(
                "top_curve",
                f"Kendall τ among the top p % of {len(joined):,} networks, {SELECTED[by]}.",
                table[_LINES],
                lambda width: plot_top(table, labels, baseline, stand_out, width),
            ),
        ),
        notes=notes,
    )


def plot_top(
    table: pd.DataFrame, labels: Labels | None, baseline: str | None, stand_out: Sequence[str], width: float
) -> Figure:
    """τ against p, one line per proxy.

    Args:
        table: rows of :func:`harness.analysis.top.top_table`.
        labels: display names of proxies.
        baseline: the line in black.
        stand_out: the lines in colour.
        width: the width in inches.
    """
    lines = {str(name): rows.set_index("percent")["kendall"] for name, rows in table.groupby("proxy", sort=False)}
    by: By = "truth" if table["by"].iloc[0] == "truth" else "proxy"
    return plot_lines(
        lines,
        width,
        stand_out=[name for name in stand_out if name in lines],
        baseline=baseline,
        labels=labels,
        xlabel=f"top p % of the networks, {SELECTED[by]}",
        ylabel="Kendall τ",
    )


def _curve_grid(
    table: pd.DataFrame, shares: Sequence[float], labels: Labels, by: By, kind: Callable[[str], str]
) -> Grid:
    names = list(dict.fromkeys(table["proxy"]))
    columns = [row_names(names, labels)]
    for share in shares:
        rows = table[table["percent"] == share].set_index("proxy").loc[names]
        values = rows["kendall"]
        verdicts = rows["verdict"] if by == "truth" else ()
        best = best_cells(map(kind, names), values)
        header = f"top {share:g} %\n" + (f"n = {count(rows['networks'].max())}" if by == "truth" else "")
        columns.append(Column(f"{share:g}", header, values, coefficient, "left", verdicts=verdicts, best=best))
    marks_note = ("▲ win, ○ tie, ▼ loss compared with ◆ on the same networks.",) if by == "truth" else ()
    return Grid("top", f"Kendall τ among the top p % of networks, {SELECTED[by]}", tuple(columns), table, marks_note)


def _share_grid(rows: pd.DataFrame, labels: Labels, by: By, baseline: str) -> Grid:
    rows = rows.sort_values("kendall", ascending=False, na_position="last", kind="stable")
    columns = [
        row_names(rows["proxy"], labels),
        estimates("τ", "Kendall τ\n[95 %]", rows, "kendall"),
        estimates("ρ", "Spearman ρ\n[95 %]", rows, "spearman"),
    ]
    if by == "truth":
        columns += [
            estimates("Δτ", f"Δτ to {baseline}\n[95 %]", rows, "difference", sign=True),
            Column("p", "p", rows["p_value"], p_value),
            verdict_column(rows["verdict"]),
        ]
    columns.append(Column("networks", "Net-\nworks", rows["networks"], count))
    share = rows["percent"].iloc[0]
    notes = (
        "Intervals treat the selection as fixed. In a selection by truth the range of accuracies is narrow, so τ is "
        "lower than over all networks even for an equally good score.",
        *(("p is not corrected for the number of proxies.",) if by == "truth" else ()),
    )
    return Grid("top_smallest", f"Among the top {share:g} %, {SELECTED[by]}", tuple(columns), rows, notes)


def _alternately(table: pd.DataFrame, shares: Sequence[float]) -> list[str]:
    """The best for the largest percentage, the best for the smallest, the second best for the largest and so on."""
    by_end = [
        table[table["percent"] == share].sort_values("kendall", ascending=False, kind="stable")["proxy"]
        for share in (shares[0], shares[-1])
    ]
    return list(dict.fromkeys(str(name) for pair in zip(*by_end, strict=True) for name in pair))


def _rule(by: By) -> str:
    where = "of all networks, the same for every proxy" if by == "truth" else "of the networks that the proxy scored"
    return (
        f"The top p % are {SELECTED[by]}: the highest n p / 100 {where}, rounded up, and those tied with the last one."
    )
