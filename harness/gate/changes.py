"""What became of a proxy's scores: how many changed, how much, and whether they still rank alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.analysis.statistics.jackknife import Floats, jackknife
from harness.analysis.statistics.ranks import rank
from harness.gate.float_tolerance import FloatTolerance


@dataclass(frozen=True)
class ScoreChange:
    """The scores of one proxy then and now, on the same networks.

    Attributes:
        changed: networks whose score differs by more than rounding makes, or that have one then or now alone.
        largest: the largest relative change where both have a score; NaN where none has.
        median: the median relative change there.
        agreement: Kendall τ-b between then and now; NaN where it is undefined.
        scored_then: networks that had a finite score.
        scored_now: networks that have one.
    """

    changed: int
    largest: float
    median: float
    agreement: float
    scored_then: int
    scored_now: int


def relative_changes(then: Floats, now: Floats) -> Floats:
    r"""How much each score changed, relative to what is usual for the proxy.

    :math:`|b_i - a_i| / \max(|a_i|, \operatorname{median}_j |a_j|)`, with a the scores then and b those now. A
    score that happens to lie near zero has no size of its own to compare with, so the median is the least that is
    divided by. Equal scores have changed by 0, also where all are zero.

    Args:
        then: scores, shape (n,), finite.
        now: scores of the same networks, finite.

    >>> relative_changes(np.array([1.0, 2.0, 1e-9]), np.array([1.0, 2.2, 0.1]))
    array([0. , 0.1, 0.1])
    """
    if not len(then):
        return np.zeros(0)
    size = np.maximum(np.abs(then), np.median(np.abs(then)))
    distance = np.abs(now - then)
    # A change from nothing but zeros is infinitely large.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(distance == 0, 0.0, distance / size)


def score_change(then: Floats, now: Floats, tolerance: FloatTolerance) -> ScoreChange:
    """Compare the scores of one proxy on the same networks.

    A score has changed if its change is larger than any single one may be by rounding; where the median of the changes
    is larger than rounding makes it, every score has that changed by more than that median may.

    Args:
        then: scores, shape (n,), NaN where there is none that is finite.
        now: the same of the run that is checked.
        tolerance: the relative changes that rounding may make.
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
