"""``harness analyse scatter``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Out, RunDirectory, Truth, Width, opened, present


def scatter(
    run: RunDirectory,
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="Draw only this proxy; may be repeated. Default: all.")
    ] = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Score against accuracy, one panel per proxy, with τ and ρ."""
    from harness.exhibits.scatter import scatter as exhibit

    present(exhibit(opened(run, truth), proxies or []), out, width)
