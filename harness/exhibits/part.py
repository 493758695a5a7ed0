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
"""Networks without which there is nothing to rank."""


def part_of(run: OpenedRun, subset: str = "all", fewest: int = FEWEST) -> tuple[Joined, Heading]:
    """Scores and accuracies of a set of architectures, and the heading of what is made of them.

    Args:
        run: whose scores.
        subset: the set.
        fewest: the networks that the analysis needs.

    Raises:
        UnknownNameError: if the benchmark has no such set.
        HarnessError: if fewer of the run's networks belong to it.
    """
    heading = heading_of(run)
    joined = run.joined if subset == "all" else run.within(subset)
    if len(joined) < fewest:
        raise HarnessError(
            f"{run.directory} has {len(joined)} networks in the set '{subset}'; this analysis needs {fewest} or more; "
            "choose another --set"
        )
    if subset == "all":
        return joined, heading
    only = f"Only those in the set '{subset}': {len(joined):,} of the {counted(heading.networks, 'network')}"
    return joined, replace(heading, facts=(*heading.facts, only))


def unused_note(joined: Joined, labels: dict[str, str]) -> tuple[str, ...]:
    """Which proxies have no finite score on some of the networks; no sentence where none has."""
    lost = [
        f"{labels.get(name, name)} {int((~scores.usable).sum()):,}"
        for name, scores in joined.rows.items()
        if not scores.usable.all()
    ]
    return (f"Networks without a finite score: {', '.join(lost)}.",) if lost else ()
