"""``harness analyse heatmap``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.commands.shared import Out, RunDirectories, Subset, Width, opened, present


def heatmap(
    runs: RunDirectories,
    subset: Subset = "all",
    baseline: Annotated[str, typer.Option(help="The proxy that the others are compared with.")] = "params",
    out: Out = None,
    width: Width = "1",
) -> None:
    """Kendall τ of every proxy in every run, side by side: which proxies rank well everywhere?"""
    from harness.exhibits.heatmap import heatmap as exhibit

    present(exhibit([opened(directory, None) for directory in runs], subset=subset, baseline=baseline), out, width)
