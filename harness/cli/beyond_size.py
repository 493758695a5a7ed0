"""``harness analyse beyond-size``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present

Given = Annotated[str, typer.Option("--given", help="The proxy that is held constant.")]
Bins = Annotated[
    int | None,
    typer.Option("--bins", help="Strata are so many bins; single values unless given, where there are few."),
]


def beyond_size(
    run: RunDirectory,
    given: Given = "params",
    bins: Bins = None,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Is it more than size? τ among networks of equal #Params, and partial correlations given it."""
    from harness.exhibits.beyond_size import beyond_size as exhibit

    present(exhibit(opened(run, truth, beside), given=given, bins=bins, subset=subset), out, width)
