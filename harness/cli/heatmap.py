"""``harness analyse heatmap``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.shared import Out, RunDirectories, Subset, Width, opened, present


def heatmap(
    runs: RunDirectories,
    subset: Subset = "all",
    baseline: Annotated[str, typer.Option(help="Proxy to compare the others with.")] = "params",
    proxies: Annotated[
        str | None, typer.Option(help="Only these proxies: comma-separated names, or 'standard'; default: all.")
    ] = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Kendall τ of every proxy in every run, side by side: which proxies rank well everywhere?"""
    from harness.exhibits.heatmap import heatmap as exhibit
    from harness.registry import select_proxies

    chosen = None if proxies is None else [proxy.name for proxy in select_proxies(proxies)]
    found = [opened(directory, None) for directory in runs]
    present(exhibit(found, subset=subset, baseline=baseline, proxies=chosen), out, width)
