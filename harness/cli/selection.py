"""``harness analyse selection``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import (
    Baseline,
    Beside,
    Highlight,
    Out,
    RunDirectory,
    Subset,
    Truth,
    Width,
    opened,
    present,
)

Counts = Annotated[list[int] | None, typer.Option("--k", help="Number of networks to select; may be repeated.")]
Percents = Annotated[
    list[float] | None, typer.Option("--percent", help="Percentage of the networks to select; may be repeated.")
]


def selection(
    run: RunDirectory,
    k: Counts = None,
    percent: Percents = None,
    subset: Subset = "all",
    baseline: Baseline = "params",
    highlight: Highlight = None,
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Quality of the networks that each proxy selects: precision, best rank, regret, nDCG, weighted τ."""
    from harness.analysis.selection import COUNTS, PERCENTS
    from harness.exhibits.selection import selection as exhibit

    found = exhibit(
        opened(run, truth, beside),
        counts=k or COUNTS,
        percents=percent or PERCENTS,
        subset=subset,
        baseline=baseline,
        highlight=highlight,
    )
    present(found, out, width)
