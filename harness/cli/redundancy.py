"""``harness analyse redundancy``."""

from __future__ import annotations

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def redundancy(
    run: RunDirectory,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Which proxies rank alike, and what each adds to the most similar other one."""
    from harness.exhibits.redundancy import redundancy as exhibit

    present(exhibit(opened(run, truth, beside), subset=subset), out, width)
