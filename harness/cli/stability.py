"""``harness analyse stability``."""

from __future__ import annotations

from harness.cli.shared import Out, RunDirectories, Truth, Width, opened, present


def stability(runs: RunDirectories, truth: Truth = None, out: Out = None, width: Width = "1") -> None:
    """How well several runs of the same networks agree, with different seeds, mini-batches or batch sizes."""
    from harness.exhibits.stability import stability as exhibit

    present(exhibit([opened(directory, truth) for directory in runs]), out, width)
