"""The tables of a report: correlations in one set, Kendall τ in every set, costs, and published coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis.published import digits
from harness.display.tables.columns import Column, best_cells, estimates, row_names, verdict_column, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import (
    MISSING,
    coefficient,
    count,
    counted,
    milliseconds,
    p_value,
    printed,
    ratio,
    signed,
)
from harness.display.tables.rows import (
    Labels,
    baseline_row,
    can_be_ranked,
    dagger_note,
    kind_notes,
    kinds_of,
    label_of,
    outcome_notes,
    set_notes,
    set_rows,
    side_by_side,
    significant,
    verdict_note,
)
from harness.display.tables.seeds import agreement_column, doubt_note

if TYPE_CHECKING:
    import pandas as pd

SYMBOLS = {"kendall": "τ", "spearman": "ρ"}

SACRIFICES = (
    "distinct scores",
    "own cost",
    "ρ interval",
    "used networks",
    "stand-alone cost",
    "rank",
    "p",
    "ρ",
    "Δτ interval",
    "τ interval",
)
"""What is omitted first if the page is narrow. The files always have everything."""

STYLES = {"win": "bold green", "loss": "red", "tie": "", "baseline": "bold", "no baseline": "", "undefined": "dim"}
"""Styles of the rows in a terminal; a proxy without a coefficient is dim."""

COST_NOTE = "×: cost in forward + backward passes; own: in addition to shared passes, alone: including them."


def main_grid(
    table: pd.DataFrame, chosen: str, labels: Labels | None = None, seeds: pd.DataFrame | None = None
) -> Grid:
    """The correlations of one set, best first; with the agreement of seeds if there are several."""
    rows = set_rows(table, chosen)
    if rows.empty:
        return Grid("correlations", f"Set '{chosen}'", (), table, (f"No scores in the set '{chosen}'.",))
    networks = rows["networks"].max()
    title = f"Set '{chosen}': {counted(networks, 'network')}"
    places = [place if math.isfinite(value) else math.nan for place, value in enumerate(rows["kendall"], start=1)]
    columns = [
        Column("rank", "", places, lambda place: count(place).replace(MISSING, "")),
        row_names(rows["proxy"], labels),
        estimates("τ", "Kendall τ\n[95 %]", rows, "kendall", brief=True),
        estimates("ρ", "Spearman ρ\n[95 %]", rows, "spearman", brief=True),
    ]
    if seeds is not None:
        columns.insert(3, agreement_column(rows["proxy"], seeds))
    base = baseline_row(rows)
    if base is not None:
        head = f"Δτ to {label_of(base['proxy'], labels)}\n[95 %]"
        columns += [
            estimates("Δτ", head, rows, "difference", sign=True, brief=True),
            Column("p", "p", rows["p_value"], p_value),
            verdict_column(rows["verdict"]),
        ]
    columns += [
        Column(
            "used networks",
            "Net-\nworks",
            rows["used"],
            lambda used: count(used) if used == networks else f"{count(used)}/{count(networks)}",
        ),
        Column("distinct scores", "Dis-\ntinct", rows["distinct"], count),
    ]
    doubt = () if seeds is None else doubt_note(seeds)
    notes = (*outcome_notes(rows, labels), *kind_notes(rows, labels), *doubt, verdict_note(rows, labels))
    styles = tuple(STYLES.get(verdict, "") for verdict in rows["verdict"])
    return Grid("correlations", title, tuple(columns), table, notes, styles=styles, sacrifices=SACRIFICES)


def terminal_grid(
    table: pd.DataFrame,
    chosen: str,
    labels: Labels | None = None,
    costs: pd.DataFrame | None = None,
    seeds: pd.DataFrame | None = None,
) -> Grid:
    """The main table for a terminal: with costs, and without numbers if nothing can be ranked."""
    grid, rows = main_grid(table, chosen, labels, seeds), set_rows(table, chosen)
    if not (rows.empty or can_be_ranked(rows)):
        return replace(grid, columns=(), notes=tuple(outcome_notes(rows, labels)))
    if rows.empty or costs is None or costs.empty:
        return grid
    by_proxy = costs.set_index("proxy").reindex(rows["proxy"])
    own = Column("own cost", "Own\n×", by_proxy["own_ratio"], ratio, note=COST_NOTE)
    alone = Column("stand-alone cost", "Alone\n×", by_proxy["standalone_ratio"], ratio, note=COST_NOTE)
    return replace(grid, columns=(*grid.columns, own, alone))


def paper_grid(table: pd.DataFrame, chosen: str, labels: Labels | None = None) -> Grid:
    """The main table for a paper: fewer columns, daggers instead of words, the best values in bold."""
    rows = set_rows(table, chosen)
    if rows.empty:
        return main_grid(table, chosen, labels)
    base = baseline_row(rows)
    kinds = kinds_of(rows.to_dict("records"))
    columns = [
        row_names(rows["proxy"], labels),
        estimates("τ", "Kendall τ", rows, "kendall", best=best_cells(kinds, rows["kendall"])),
        estimates("ρ", "Spearman ρ", rows, "spearman", best=best_cells(kinds, rows["spearman"])),
    ]
    if base is not None:
        head = f"Δτ to {label_of(base['proxy'], labels)}"
        columns.append(estimates("Δτ", head, rows, "difference", sign=True, verdicts=significant(rows["verdict"])))
        columns.append(Column("p", "p", rows["p_value"], p_value))
    columns.append(Column("n", "n", rows["used"], count))
    notes = (
        "Brackets: 95 % intervals. Bold: best.",
        *dagger_note(base, labels),
        *outcome_notes(rows, labels),
        *kind_notes(rows, labels),
    )
    title = f"Rank correlation with true accuracy on the set '{chosen}' (n networks used)"
    return Grid("correlations", title, tuple(columns), None, notes)


def sets_grid(
    table: pd.DataFrame,
    first: str,
    sets: Mapping[str, str],
    labels: Labels | None = None,
    *,
    paper: bool = False,
) -> Grid:
    """Kendall τ in each architecture set, one column per set.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        first: the set that determines the order of the rows.
        sets: the description of each set.
        labels: display names of proxies.
        paper: whether it is for a paper, with daggers and the best values in bold.
    """
    sizes, found = side_by_side(table, first)
    columns = [row_names((proxy for proxy, _ in found), labels)]
    for name, size in sizes.items():
        rows = [by_set.get(name, {"kendall": math.nan, "verdict": ""}) for _, by_set in found]
        values, verdicts = [row["kendall"] for row in rows], [row["verdict"] for row in rows]
        best = best_cells(kinds_of(rows), values) if paper else ()
        head, shown = f"{name}\n(n = {size:,})", significant(verdicts) if paper else verdicts
        columns.append(Column(name, head, values, coefficient, "left", verdicts=shown, best=best))
    notes = tuple(set_notes(table, first, sets))
    title = "Kendall τ in each set"
    if paper:
        title = "Kendall τ in each set of architectures"
        notes = ("Bold: best.", *dagger_note(baseline_row(set_rows(table, first)), labels), *notes)
    return Grid("correlations-sets" if paper else "sets", title, tuple(columns), None, notes)


def cost_grid(costs: pd.DataFrame, labels: Labels | None = None) -> Grid:
    """The costs of each proxy."""
    columns = (
        row_names(costs["proxy"], labels),
        Column("networks", "Networks", costs["networks"], count),
        Column("own_ms", "Own (ms)", costs["own_ms"], milliseconds),
        Column("standalone_ms", "Alone (ms)", costs["standalone_ms"], milliseconds),
        Column("own_ratio", "Own ×", costs["own_ratio"], ratio),
        Column("standalone_ratio", "Alone ×", costs["standalone_ratio"], ratio),
    )
    note = (
        "Medians per network. Own: in addition to the passes that proxies share; alone: as if it were the only proxy; "
        "×: in forward + backward passes of the same batch."
    )
    return Grid("costs", "Costs", columns, costs, (note,))


def agreement_grid(agreement: pd.DataFrame, labels: Labels | None = None) -> Grid:
    """How well two sources of scores agree, from the rows of :func:`harness.analysis.rank_agreement`."""
    columns = (
        row_names(agreement["proxy"], labels),
        Column("networks", "Networks", agreement["networks"], count),
        estimates("ρ", "Spearman ρ [95 %]", agreement, "spearman"),
        Column("τ", "Kendall τ", agreement["kendall"], coefficient),
    )
    return Grid("agreement", "Rank agreement", columns, agreement)


def published_grid(beside: pd.DataFrame, labels: Labels | None = None) -> Grid:
    """Our coefficients next to published ones, from the rows of :func:`harness.analysis.published.beside_published`."""
    decimals = digits(beside["published"])
    stars = [" *" if outside else "" for outside in beside["outside"]]
    columns = (
        row_names(beside["proxy"], labels),
        words("coefficient", "", beside["coefficient"].map(SYMBOLS)),
        Column("published", "Published", beside["published"], lambda value: printed(value, decimals)),
        estimates("ours", "Ours [95 %]", beside, "ours", "low", "high"),
        Column("difference", "Difference", beside["difference"], signed, marks=stars),
    )
    sources = "; ".join(
        f"{s} ({count(n)} architectures)" for s, n in beside.groupby("source")["architectures"].max().items()
    )
    note = f"Published: {sources}. *: the published value, as rounded, lies outside our interval."
    return Grid("published", "Comparison with the published table", columns, beside, (note,))
