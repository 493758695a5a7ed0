"""The verdicts of the gate: what each means, which comes first, and which are alarms."""

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
    "missing": "the baseline has it, the run has not",
    "failed": "fewer networks have a finite score than then",
    "worse": "τ fell by more than the tolerance, and significantly",
    "changed": "scores differ beyond rounding, though τ holds",
    "slower": "its own work takes longer by more than the factor, and significantly",
    "better": "τ rose by more than the tolerance, and significantly",
    "new": "the run has it, the baseline has not",
    "same": "none of the above",
}
"""All verdicts, the gravest first: a proxy that earns several gets the first of them."""

ALARMS: frozenset[Verdict] = frozenset({"missing", "failed", "worse", "changed", "slower"})
"""Those that end a check with exit code 1."""


@dataclass(frozen=True)
class Limits:
    """What is taken for a change.

    Attributes:
        tolerance: the least change of τ that is called worse or better, if it is significant.
        slower: the least growth of the own cost that is called slower, if it is significant.
        slower_elsewhere: the same where the baseline was made on another processor or with another torch, on which
            even costs in forward and backward passes differ.
        floats: the relative change of a score that rounding may make; None for what was measured of each proxy.
    """

    tolerance: float = 0.01
    slower: float = 1.2
    slower_elsewhere: float = 2.0
    floats: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that nothing could keep."""
        if not self.tolerance >= 0:
            raise HarnessError(f"the limit 'tolerance' is {self.tolerance}; give 0 or more")
        for name in ("slower", "slower_elsewhere"):
            if not getattr(self, name) >= 1:
                raise HarnessError(f"the limit '{name}' is {getattr(self, name)}; it is a factor: give 1 or more")
        if self.floats is not None and not self.floats >= 0:
            raise HarnessError(f"the float tolerance is {self.floats}; give 0 or more")


def decide(scores: ScoreChange, ranking: Comparison, cost: CostChange, limits: Limits, factor: float | None) -> Verdict:
    """The gravest verdict that a proxy of both the baseline and the run earns.

    Args:
        scores: what became of its scores.
        ranking: τ now minus τ then, on the networks that have a score both times.
        cost: what became of its own cost.
        limits: what is taken for a change.
        factor: the growth of the cost that is called slower; None where costs cannot be compared.
    """
    if scores.scored_now < scores.scored_then:
        return "failed"
    if ranking.verdict == "loss" and -ranking.difference > limits.tolerance:
        return "worse"
    better = ranking.verdict == "win" and ranking.difference > limits.tolerance
    if scores.changed and not better:
        return "changed"
    if factor is not None and is_slower(cost, factor):
        return "slower"
    return "better" if better else "same"


def is_slower(cost: CostChange, factor: float) -> bool:
    """Whether a cost grew by more than the factor, significantly; never where it was not measured."""
    return cost.ratio > factor and cost.low > 1
