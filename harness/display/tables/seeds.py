"""The table of coefficients over seeds, and the column of the main table that shows whether the seeds agree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.analysis.seeds import TRUSTED_AGREEMENT
from harness.display.tables.columns import Column, best_cells, estimates, row_names, verdict_column
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count, counted, p_value
from harness.display.tables.rows import Labels, baseline_row, dagger_note, label_of, significant

if TYPE_CHECKING:
    import pandas as pd

_DOUBT = " !"


def agreement_column(proxies: Iterable[str], seeds: pd.DataFrame) -> Column:
    """τ between the seeds of each proxy, with a mark where the seeds do not agree.

    Args:
        proxies: the rows of the table.
        seeds: rows of :func:`harness.analysis.seeds.seed_table`.
    """
    found = dict(zip(seeds["proxy"], seeds["agreement"], strict=True))
    values = [found.get(proxy, math.nan) for proxy in proxies]
    return Column("seeds agree", "Seeds\nagree", values, coefficient, "left", marks=_marks(values))


def doubt_note(seeds: pd.DataFrame) -> tuple[str, ...]:
    """A sentence on the mark, if any proxy has it."""
    if not any(_marks(seeds["agreement"])):
        return ()
    return (
        f"{_DOUBT.strip()}: Kendall τ between scores of two seeds is below {coefficient(TRUSTED_AGREEMENT)}, so the "
        "coefficients of one seed are partly chance; use the mean over seeds.",
    )


def seeds_grid(seeds: pd.DataFrame, labels: Labels | None = None, *, paper: bool = False) -> Grid:
    """Mean coefficients over seeds with intervals that include the seed.

    Args:
        seeds: rows of :func:`harness.analysis.seeds.seed_table`.
        labels: display names of proxies.
        paper: whether it is for a paper, with daggers and fewer columns.
    """
    best = best_cells(seeds["kind"], seeds["kendall"]) if paper else ()
    columns = [
        row_names(seeds["proxy"], labels),
        estimates("τ", "Mean τ\n[95 %]", seeds, "kendall", best=best),
        agreement_column(seeds["proxy"], seeds),
    ]
    if not paper:
        columns[2:2] = [
            Column("lowest", "Lowest", seeds["kendall_lowest"], coefficient),
            Column("highest", "Highest", seeds["kendall_highest"], coefficient),
        ]
    base = baseline_row(seeds)
    if base is not None:
        head, verdicts = f"Δτ to {label_of(base['proxy'], labels)}\n[95 %]", tuple(seeds["verdict"])
        shown = significant(verdicts) if paper else ()
        columns.append(estimates("Δτ", head, seeds, "difference", sign=True, brief=not paper, verdicts=shown))
        if not paper:
            columns += [Column("p", "p", seeds["p_value"], p_value), verdict_column(verdicts)]
    networks, number = int(seeds["networks"].max()), int(seeds["seeds"].max())
    if (seeds["networks"] != networks).any():
        columns.append(Column("networks", "Net-\nworks", seeds["networks"], count))
    notes = (
        "Intervals are for other networks and other seeds.",
        *(("Bold: best.", *dagger_note(base, labels)) if paper else ("Lowest and highest: τ of a single seed.",)),
        *doubt_note(seeds),
    )
    title = f"Mean over {counted(number, 'seed')}: the {counted(networks, 'network')} that all of them scored"
    return Grid("correlations-seeds" if paper else "seeds", title, tuple(columns), None if paper else seeds, notes)


def _marks(agreements: Iterable[float]) -> list[str]:
    return [_DOUBT if agreement < TRUSTED_AGREEMENT else "" for agreement in agreements]
