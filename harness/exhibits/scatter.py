"""The exhibit of the scatter plots: score against accuracy, of every proxy or of a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text, texts
from harness._utils.names import unknown_name
from harness.display.exhibit import Drawing, Exhibit
from harness.display.figures.saving import scatter_figure, scatter_pages
from harness.display.figures.scatter import figure_data, scatter_data
from harness.display.tables.columns import Column
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import align, count, estimate
from harness.display.tables.rows import Row, label_of, set_rows
from harness.errors import UnknownNameError
from harness.exhibits._heading import correlations_of, heading_of
from harness.registry import LIST_PROXIES, named_among
from harness.results import as_run

if TYPE_CHECKING:
    from harness.results import OpenedRun


@accepts(run=as_run, proxies=texts, baseline=text)
def scatter(run: OpenedRun, proxies: Sequence[str] = (), *, baseline: str = "params") -> Exhibit:
    """Score against accuracy, a panel for each proxy, with τ and ρ.

    Args:
        run: whose scores.
        proxies: those that are drawn; all that were scored unless given.
        baseline: the proxy that the table compares with.

    Raises:
        UnknownNameError: if a proxy was not scored.
    """
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
    rows = set_rows(table, "all").to_dict("records")
    columns = (
        Column("proxy", "Proxy", tuple(label_of(row["proxy"], run.labels) for row in rows), "left"),
        _estimates(rows, "kendall", "Kendall τ\n[95 %]"),
        _estimates(rows, "spearman", "Spearman ρ\n[95 %]"),
        Column("used", "Net-\nworks", tuple(count(row["used"]) for row in rows)),
        Column("distinct", "Dis-\ntinct", tuple(count(row["distinct"]) for row in rows)),
    )
    stem = "_".join(["scatter", *proxies]) if len(proxies) == 1 else "scatter"
    return Exhibit(
        name=stem,
        title="Score against accuracy",
        heading=heading,
        grids=(Grid(f"{stem}_coefficients", "Rank correlations", columns, set_rows(table, "all")),),
        drawings=(
            Drawing(
                stem,
                "Each point is a network, or each hexagon many where there are more than 5,000; heavy-tailed scores "
                "are drawn by their rank. τ and ρ are those of all networks with a finite score.",
                figure_data(scatter_data(scores, run.truth)),
                lambda width: scatter_figure(table, scores, run.truth, heading, labels=run.labels, width=width)[0],
                lambda width: scatter_pages(table, scores, run.truth, heading, labels=run.labels, width=width),
            ),
        ),
    )


def _estimates(rows: Sequence[Row], key: str, header: str) -> Column:
    cells = [estimate(row[key], row[f"{key}_low"], row[f"{key}_high"]) for row in rows]
    return Column(key, header, tuple(align(cells)), "left")
