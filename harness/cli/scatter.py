"""``harness analyse scatter``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Out, RunDirectory, Truth, Width, opened, present


def scatter(
    run: RunDirectory,
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="Draw this proxy alone; may be repeated. All unless given.")
    ] = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Score against accuracy, a panel for each proxy, with τ and ρ in its corner."""
    from harness.exhibits.scatter import scatter as exhibit

    present(exhibit(opened(run, truth), proxies or []), out, width)
