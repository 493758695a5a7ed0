"""The exhibits that need only one run; collect those that a run allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.exhibits.beyond_size import beyond_size
from harness.exhibits.bias import bias
from harness.exhibits.budgets import budgets
from harness.exhibits.noise_ceiling import noise_ceiling_of_run
from harness.exhibits.pairs import pairs
from harness.exhibits.pareto import pareto
from harness.exhibits.redundancy import redundancy
from harness.exhibits.required_n import required_n
from harness.exhibits.search import search
from harness.exhibits.selection import selection
from harness.exhibits.top import top

if TYPE_CHECKING:
    from harness.display.exhibit import Exhibit
    from harness.results import OpenedRun

FOR_ONE_RUN: tuple[Callable[[OpenedRun], Exhibit], ...] = (
    top,
    selection,
    beyond_size,
    redundancy,
    bias,
    search,
    budgets,
    pareto,
    pairs,
    noise_ceiling_of_run,
    required_n,
)
"""In the order of the page. Scatter plots and the chart of τ are part of every report."""


@dataclass(frozen=True)
class Collected:
    """The exhibits that a run allows, and the reasons why others are missing.

    Attributes:
        exhibits: in the order of :data:`FOR_ONE_RUN`.
        missing: the name of each other exhibit, with the reason.
    """

    exhibits: tuple[Exhibit, ...]
    missing: tuple[str, ...]


def for_run(run: OpenedRun) -> Collected:
    """Every exhibit that the run allows; for one that it does not allow, the reason instead of an error.

    Args:
        run: the run, with its ground truth.
    """
    exhibits, missing = [], []
    for make in FOR_ONE_RUN:
        try:
            exhibits.append(make(run))
        except HarnessError as error:
            name = make.__name__.removesuffix("_of_run").replace("_", " ")
            missing.append(f"{name}: {error}")
    return Collected(tuple(exhibits), tuple(missing))
