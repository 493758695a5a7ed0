"""The verdicts of the gate: their meanings, their order of severity, and which are alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.analysis.statistics.comparison import Comparison
    from harness.gate.changes import ScoreChange
    from harness.gate.costs import CostChange

Verdict = Literal["missing", "failed", "worse", "changed", "slower", "better", "new", "same"]

MEANINGS: dict[Verdict, str] = {
    "missing": "in the baseline, but not in the run",
    "failed": "fewer networks have a finite score than in the baseline",
    "worse": "τ fell significantly and by more than the tolerance",
    "changed": "scores differ by more than rounding, without a clear change of τ",
    "slower": "its own cost grew significantly and by more than the factor",
    "better": "τ rose significantly and by more than the tolerance",
    "new": "in the run, but not in the baseline",
    "same": "none of the above",
}
"""All verdicts, the most severe first; if several apply to a proxy, it gets the first of them."""

ALARMS: frozenset[Verdict] = frozenset({"missing", "failed", "worse", "changed", "slower"})
"""Verdicts that end a check with exit code 1."""


@dataclass(frozen=True)
class Limits:
    """What counts as a change.

    Attributes:
        tolerance: the minimum change of τ that counts as worse or better, if significant.
        slower: the minimum growth factor of the own cost that counts as slower, if significant.
        slower_elsewhere: the same if the baseline was made on another processor or with another torch, where even costs
            in forward and backward passes differ.
        floats: the relative change of a score that rounding may cause; None for the measured tolerance of each proxy.
    """

    tolerance: float = 0.01
    slower: float = 1.2
    slower_elsewhere: float = 2.0
    floats: float | None = None

    def __post_init__(self) -> None:
        """Check the limits."""
        if not self.tolerance >= 0:
            raise HarnessError(f"the limit 'tolerance' is {self.tolerance}; it must be 0 or more")
        for name in ("slower", "slower_elsewhere"):
            if not getattr(self, name) >= 1:
                raise HarnessError(f"the limit '{name}' is {getattr(self, name)}; it is a factor and must be 1 or more")
        if self.floats is not None and not self.floats >= 0:
            raise HarnessError(f"the float tolerance is {self.floats}; it must be 0 or more")


def decide(scores: ScoreChange, ranking: Comparison, cost: CostChange, limits: Limits, factor: float | None) -> Verdict:
    """The most severe verdict that applies to a proxy of both the baseline and the run.

    A cost that grew by more than ``factor`` counts as slower; None if costs cannot be compared.
    """
    if scores.scored_now < scores.scored_then:
        return "failed"
    if ranking.verdict == "loss" and -ranking.difference > limits.tolerance:
        return "worse"
    better = ranking.verdict == "win" and ranking.difference > limits.tolerance
    if scores.changed and not better:
        return "changed"
    if factor is not None and cost.ratio > factor and cost.low > 1:
        return "slower"
    return "better" if better else "same"
