"""``harness analyse bootstrap``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def bootstrap(
    run: RunDirectory,
    baseline: Annotated[
        str, typer.Option("--baseline", help="Proxy that differences are computed against.")
    ] = "params",
    resamples: Annotated[
        int, typer.Option("--resamples", help="Number of bootstrap resamples of the networks.")
    ] = 1000,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Check the intervals: compare jackknife intervals with bootstrap intervals."""
    from harness.exhibits.bootstrap import bootstrap as exhibit

    present(exhibit(opened(run, truth, beside), baseline, resamples, subset), out, width)
