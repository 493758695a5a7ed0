"""``harness analyse pairs``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def pairs(
    run: RunDirectory,
    against: Annotated[str | None, typer.Option("--against", help="Compare the others with this one alone.")] = None,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Which proxies differ: paired differences of tau between any two, corrected for how many there are."""
    from harness.exhibits.pairs import pairs as exhibit

    present(exhibit(opened(run, truth, beside), against, subset), out, width)
