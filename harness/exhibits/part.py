"""A run's networks, or one of the benchmark's sets of them, under the heading that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.display.tables.numbers import counted
from harness.errors import HarnessError
from harness.exhibits._heading import heading_of

if TYPE_CHECKING:
    from harness.analysis.joined import Joined
    from harness.display.tables.heading import Heading
    from harness.results import OpenedRun

FEWEST = 3


def part_of(run: OpenedRun, subset: str = "all") -> tuple[Joined, Heading]:
    """Scores and accuracies of a set of architectures, and the heading of what is made of them.

    Raises:
        UnknownNameError: if the benchmark has no such set.
        HarnessError: if fewer than three of the run's networks belong to it.
    """
    heading = heading_of(run)
    if subset == "all":
        joined = run.joined
    else:
        joined = run.within(subset)
        only = f"Only those in the set '{subset}': {counted(len(joined), 'network')}"
        heading = replace(heading, facts=(only, *heading.facts))
    if len(joined) < FEWEST:
        raise HarnessError(
            f"{run.directory} has {len(joined)} networks in the set '{subset}'; there is nothing to rank with fewer "
            f"than {FEWEST}"
        )
    return joined, heading


def unused_note(joined: Joined, labels: dict[str, str]) -> tuple[str, ...]:
    """Which proxies have no finite score on some of the networks; no sentence where none has."""
    lost = [
        f"{labels.get(name, name)} {int((~scores.usable).sum()):,}"
        for name, scores in joined.rows.items()
        if not scores.usable.all()
    ]
    return (f"Networks without a finite score: {', '.join(lost)}.",) if lost else ()
