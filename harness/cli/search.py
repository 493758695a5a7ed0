"""``harness analyse search``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.lists import numbers
from harness.cli.shared import Out, RunDirectory, Subset, Truth, Width, opened, present

Shown = Annotated[
    list[str] | None,
    typer.Option("--show", help="Proxy to draw in the figure; may be repeated. Default: #Params and the best ones."),
]


def search(
    run: RunDirectory,
    truth: Truth = None,
    draws: Annotated[str, typer.Option(help="Comma-separated numbers of networks to draw.")] = "10,100,500,1000",
    without_replacement: Annotated[
        bool, typer.Option("--without-replacement", help="Never draw a network twice; EPE-NAS allows repeats.")
    ] = False,
    repetitions: Annotated[int, typer.Option(help="Number of simulated searches, as a check; 0: none.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed for the simulated searches.")] = 0,
    subset: Subset = "all",
    show: Shown = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """EPE-NAS's experiment: draw N networks at random; how accurate is the one with the best score?"""
    from harness.exhibits.search import search as exhibit

    shown = exhibit(
        opened(run, truth),
        draws=numbers(draws, "--draws", int),
        replacement=not without_replacement,
        repetitions=repetitions,
        seed=seed,
        subset=subset,
        shown=show or [],
    )
    present(shown, out, width)
