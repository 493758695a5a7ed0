"""``harness analyse pareto``."""

from __future__ import annotations

from harness.cli.budgets import CostNames
from harness.cli.search import Shown
from harness.cli.shared import Out, RunDirectory, Subset, Truth, Width, opened, present


def pareto(
    run: RunDirectory,
    truth: Truth = None,
    cost: CostNames = None,
    subset: Subset = "all",
    show: Shown = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """The true Pareto front of accuracy and cost, and how close each proxy's front comes to it."""
    from harness.exhibits.pareto import pareto as exhibit

    present(exhibit(opened(run, truth), costs=cost or [], subset=subset, shown=show or []), out, width)
