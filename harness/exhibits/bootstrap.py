"""Exhibit: jackknife and bootstrap intervals compared."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text, whole
from harness.analysis.bootstrap import QUANTITIES, bootstrap_table
from harness.display.exhibit import Exhibit
from harness.display.tables.columns import Column, estimates, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, count, ratio
from harness.display.tables.rows import Labels, label_of
from harness.errors import HarnessError
from harness.exhibits.part import part_of
from harness.results import as_run

if TYPE_CHECKING:
    import pandas as pd

    from harness.results import OpenedRun

FEWEST_RESAMPLES = 100
"""With fewer, the bounds would depend on a few extreme resamples."""


@accepts(run=as_run, baseline=text, resamples=whole(), subset=text)
def bootstrap(run: OpenedRun, baseline: str = "params", resamples: int = 1000, subset: str = "all") -> Exhibit:
    """Jackknife and bootstrap intervals side by side.

    Args:
        run: the scores.
        baseline: the row to compare the others with.
        resamples: the number of bootstrap resamples.
        subset: the architecture set.

    Raises:
        HarnessError: for too few resamples, or an unknown set or row.
    """
    if resamples < FEWEST_RESAMPLES:
        raise HarnessError(f"{resamples} resamples are too few for an interval; ask for {FEWEST_RESAMPLES} or more")
    baseline = run.row_named(baseline)
    joined, heading = part_of(run, subset, fewest=0)
    table = bootstrap_table(joined, baseline=baseline, resamples=resamples)
    words = {"kendall": "Kendall τ", "spearman": "Spearman ρ", "difference": f"Δτ to {label_of(baseline, run.labels)}"}
    grids = [
        _grid(table[table["quantity"] == quantity], run.labels, quantity, words[quantity], resamples)
        for quantity in QUANTITIES
        if (table["quantity"] == quantity).any()
    ]
    return Exhibit(
        name="bootstrap",
        title="Jackknife intervals compared with bootstrap intervals",
        heading=heading,
        grids=tuple(grids),
    )


def _grid(table: pd.DataFrame, labels: Labels, quantity: str, words: str, resamples: int) -> Grid:
    sign = quantity == "difference"
    bounds = ("bootstrap_low", "bootstrap_high")
    theirs = estimates("bootstrap", "bootstrap\n[95 %]", table, bounds[0], *bounds, sign=sign)
    errors = table["standard_error"] / table["bootstrap_standard_error"].where(table["bootstrap_standard_error"] > 0)
    columns = (
        row_names(table["proxy"], labels),
        estimates("jackknife", f"{words}\njackknife [95 %]", table, "value", "low", "high", sign=sign),
        replace(theirs, write=lambda low: "" if math.isfinite(low) else MISSING),
        Column("ratio", "SE\nratio", errors, ratio),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    notes = (
        f"Bootstrap: percentiles of {resamples:,} resamples of the networks. SE ratio: the jackknife's standard error "
        f"÷ the bootstrap's, which itself has an error of about {100 / (2 * resamples) ** 0.5:.0f} %.",
    )
    return Grid(f"bootstrap_{quantity}", words, columns, table, notes)
