"""``harness analyse required-n``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def required_n(
    run: RunDirectory,
    difference: Annotated[float, typer.Option("--difference", help="True difference in τ to detect.")] = 0.03,
    power: Annotated[float, typer.Option("--power", help="Probability of detecting it.")] = 0.8,
    baseline: Annotated[str, typer.Option("--baseline", help="Proxy to compare the others with.")] = "params",
    draws: Annotated[
        int, typer.Option("--draws", min=0, help="Subsamples that check the prediction; 0: no check.")
    ] = 200,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """How many networks are needed to show that a proxy ranks better than the baseline."""
    from harness.exhibits.required_n import required_n as exhibit

    present(exhibit(opened(run, truth, beside), difference, baseline, power, draws, subset), out, width)
