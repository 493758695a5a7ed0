"""``harness analyse bootstrap``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def bootstrap(
    run: RunDirectory,
    baseline: Annotated[str, typer.Option("--baseline", help="The row that differences are to.")] = "params",
    resamples: Annotated[int, typer.Option("--resamples", help="How often the networks are drawn again.")] = 1000,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Whether the intervals are right: those of the jackknife beside those of the bootstrap."""
    from harness.exhibits.bootstrap import bootstrap as exhibit

    present(exhibit(opened(run, truth, beside), baseline, resamples, subset), out, width)
