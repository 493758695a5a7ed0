"""``harness analyse bias``."""

from __future__ import annotations

from harness.cli.shared import Beside, Out, RunDirectory, Subset, Truth, Width, opened, present


def bias(
    run: RunDirectory,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Compare what scores and accuracies depend on: convolutions, poolings, skips, depth, widths."""
    from harness.exhibits.bias import bias as exhibit

    present(exhibit(opened(run, truth, beside), subset=subset), out, width)
