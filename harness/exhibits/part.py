"""A run's networks, or one architecture set of them, with the heading that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis.statistics.jackknife import FEWEST_NETWORKS
from harness.display.tables.numbers import count, counted
from harness.display.tables.rows import Labels, label_of
from harness.errors import HarnessError
from harness.exhibits._heading import heading_of

if TYPE_CHECKING:
    from harness.analysis.joined import Joined
    from harness.display.tables.heading import Heading
    from harness.results import OpenedRun


def part_of(run: OpenedRun, subset: str = "all", fewest: int = FEWEST_NETWORKS) -> tuple[Joined, Heading]:
    """Scores and accuracies of an architecture set, and the heading for an analysis of them.

    Args:
        run: the run.
        subset: the architecture set.
        fewest: the minimum number of networks for the analysis.

    Raises:
        UnknownNameError: if the benchmark has no such set.
        HarnessError: if fewer of the run's networks belong to it.
    """
    heading = heading_of(run)
    joined = run.joined if subset == "all" else run.within(subset)
    if len(joined) < fewest:
        raise HarnessError(
            f"{run.directory} has {counted(len(joined), 'network')} in the set '{subset}'; this analysis needs "
            f"{fewest} or more; choose another --set"
        )
    if subset == "all":
        return joined, heading
    only = f"Only those in the set '{subset}': {count(len(joined))} of the {counted(heading.networks, 'network')}"
    return joined, replace(heading, facts=(*heading.facts, only))


def unused_note(joined: Joined, labels: Labels) -> tuple[str, ...]:
    """A sentence about the proxies without a finite score on some networks, if there are any."""
    lost = [
        f"{label_of(name, labels)} {count((~scores.usable).sum())}"
        for name, scores in joined.rows.items()
        if not scores.usable.all()
    ]
    return (f"Networks without a finite score: {', '.join(lost)}.",) if lost else ()
