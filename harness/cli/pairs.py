"""``harness analyse pairs``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def pairs(
    run: RunDirectory,
    against: Annotated[
        str | None, typer.Option("--against", help="Compare only with this proxy; default: every pair.")
    ] = None,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Which proxies differ: paired differences of τ between any two, corrected for multiple comparisons."""
    from harness.exhibits.pairs import pairs as exhibit

    present(exhibit(opened(run, truth, beside), against, subset), out, width)
