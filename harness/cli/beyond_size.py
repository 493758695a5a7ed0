"""``harness analyse beyond-size``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present

Given = Annotated[str, typer.Option("--given", help="Proxy to hold constant.")]
Bins = Annotated[
    int | None,
    typer.Option("--bins", help="Number of bins to stratify by; default: one stratum per value, if there are few."),
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
    """Does a proxy add to size? τ among networks of equal #Params, and partial correlations given #Params."""
    from harness.exhibits.beyond_size import beyond_size as exhibit

    present(exhibit(opened(run, truth, beside), given=given, bins=bins, subset=subset), out, width)
