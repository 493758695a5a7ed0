"""How a proxy's scores changed: how many, how much, and whether they still rank the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.analysis.statistics.jackknife import Floats, jackknife
from harness.analysis.statistics.ranks import rank
from harness.gate.float_tolerance import FloatTolerance


@dataclass(frozen=True)
class ScoreChange:
    """The change of one proxy's scores since the baseline, on the same networks.

    Attributes:
        changed: number of networks whose score differs by more than rounding, or exists only before or only now.
        largest: the largest relative change of networks with both scores; NaN if there are none.
        median: the median relative change of these networks.
        agreement: Kendall τ-b between the scores before and now; NaN if undefined.
        scored_then: number of networks with a finite score before.
        scored_now: number of networks with a finite score now.
    """

    changed: int = 0
    largest: float = math.nan
    median: float = math.nan
    agreement: float = math.nan
    scored_then: int = 0
    scored_now: int = 0


def relative_changes(then: Floats, now: Floats) -> Floats:
    r"""The change of each score, relative to the proxy's typical score.

    :math:`|b_i - a_i| / \max(|a_i|, \operatorname{median}_j |a_j|)`, with a the scores before and b those now. Scores
    close to zero have no meaningful relative change, so the divisor is at least the median. Equal scores have change 0,
    even if all are zero.

    Both are finite, of shape (n,), for the same networks.

    >>> relative_changes(np.array([1.0, 2.0, 1e-9]), np.array([1.0, 2.2, 0.1]))
    array([0. , 0.1, 0.1])
    """
    if not len(then):
        return np.zeros(0)
    size = np.maximum(np.abs(then), np.median(np.abs(then)))
    distance = np.abs(now - then)
    # If all earlier scores are zero, a change is infinite.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(distance == 0, 0.0, distance / size)


def score_change(then: Floats, now: Floats, tolerance: FloatTolerance) -> ScoreChange:
    """Compare the scores of one proxy on the same networks.

    A score has changed if its change exceeds the tolerance for single scores. If the median change exceeds the
    tolerance for the median, the tolerance for the median applies to every score. Both have shape (n,).
    """
    was, has = np.isfinite(then), np.isfinite(now)
    both = was & has
    changes = relative_changes(then[both], now[both])
    median = float(np.median(changes)) if len(changes) else math.nan
    beyond = int((changes > (tolerance.typical if median > tolerance.typical else tolerance.single)).sum())
    agreement = jackknife(rank(then[both]), rank(now[both]))[0].value
    return ScoreChange(
        changed=beyond + int((was != has).sum()),
        largest=float(changes.max()) if len(changes) else math.nan,
        median=median,
        agreement=agreement,
        scored_then=int(was.sum()),
        scored_now=int(has.sum()),
    )
