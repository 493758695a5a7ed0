"""``harness analyse top``."""

from __future__ import annotations

from typing import Annotated, Literal

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

By = Annotated[
    Literal["truth", "proxy"],
    typer.Option("--by", help="Select the top networks by true accuracy, or by each proxy's score."),
]
Percents = Annotated[list[float] | None, typer.Option("--percent", help="Percentage of the networks; may be repeated.")]


def top(
    run: RunDirectory,
    by: By = "truth",
    percent: Percents = None,
    subset: Subset = "all",
    baseline: Baseline = "params",
    highlight: Highlight = None,
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """How well proxies rank only the best networks: the top 100, 50, 20, 10 and 5 %."""
    from harness.analysis.top import PERCENTS
    from harness.exhibits.top import top as exhibit

    found = exhibit(
        opened(run, truth, beside),
        by=by,
        percents=percent or PERCENTS,
        subset=subset,
        baseline=baseline,
        highlight=highlight,
    )
    present(found, out, width)
