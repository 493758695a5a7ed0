"""Exhibit: scatter plots of score against accuracy, for every proxy or for a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text, texts
from harness._utils.names import unknown_name
from harness.display.exhibit import Exhibit
from harness.display.figures.correlations import scatter_drawing
from harness.display.tables.columns import Column, estimates, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import count
from harness.display.tables.rows import set_rows
from harness.errors import UnknownNameError
from harness.exhibits._heading import correlations_of, heading_of
from harness.registry import LIST_PROXIES, named_among
from harness.results import as_run

if TYPE_CHECKING:
    from harness.results import OpenedRun


@accepts(run=as_run, proxies=texts, baseline=text)
def scatter(run: OpenedRun, proxies: Sequence[str] = (), *, baseline: str = "params") -> Exhibit:
    """Score against accuracy, one panel per proxy, with τ and ρ.

    Args:
        run: the scores.
        proxies: the proxies to draw; default: all that were scored.
        baseline: the row to compare the others with.

    Raises:
        UnknownNameError: if a proxy was not scored, or the baseline does not exist.
    """
    baseline = run.row_named(baseline)
    scored = list(run.scores["proxy"].unique())
    wanted = []
    for name in proxies or scored:
        row = named_among(name, scored)
        if row is None:
            raise UnknownNameError(unknown_name("scored proxy", name, scored, LIST_PROXIES))
        wanted.append(row)
    scores = run.scores[run.scores["proxy"].isin(wanted)]
    table = correlations_of(run, baseline)
    table = table[table["proxy"].isin(wanted)]
    heading = heading_of(run)
    rows = set_rows(table, "all")
    columns = (
        row_names(rows["proxy"], run.labels),
        estimates("kendall", "Kendall τ\n[95 %]", rows, "kendall"),
        estimates("spearman", "Spearman ρ\n[95 %]", rows, "spearman"),
        Column("used", "Net-\nworks", rows["used"], count),
        Column("distinct", "Dis-\ntinct", rows["distinct"], count),
    )
    stem = "_".join(["scatter", *wanted]) if len(proxies) == 1 else "scatter"
    return Exhibit(
        name=stem,
        title="Score against accuracy",
        heading=heading,
        grids=(Grid(f"{stem}_coefficients", "Rank correlations", columns, rows),),
        drawings=(scatter_drawing(table, scores, run.truth, heading, run.labels, name=stem, wide=False),),
    )
