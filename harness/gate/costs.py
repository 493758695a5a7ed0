"""What each proxy costs on each network, and whether it costs more than it did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.jackknife import Floats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class CostChange:
    """A proxy's own cost then and now, on the networks where both were measured.

    Attributes:
        then: median own cost, in forward and backward passes of the same network.
        now: the same of the run that is checked.
        ratio: the median over networks of now / then; NaN where nothing was measured.
        low: the lower bound of that median, 95 %.
        high: the upper bound.
        networks: how many networks were compared.
    """

    then: float
    now: float
    ratio: float
    low: float
    high: float
    networks: int


NOT_MEASURED = CostChange(math.nan, math.nan, math.nan, math.nan, math.nan, 0)


def own_costs(scores: pd.DataFrame) -> pd.Series[float]:
    """Own seconds over the seconds of one forward and backward pass, for each row of the scores.

    NaN where the proxy did not run to its end, or no such pass was made.
    """
    ran = scores["status"].isin(["ok", "non_finite"])
    step = scores["forward_backward_seconds"].astype(float)
    return (scores["own_seconds"].astype(float) / step.where(step > 0)).where(ran)


def cost_change(then: Floats, now: Floats) -> CostChange:
    r"""Compare the costs of one proxy on the same networks.

    What makes a network expensive cancels in :math:`r_i = \text{now}_i / \text{then}_i`. The interval of the
    median of r is the sign test's: it holds for any distribution, so that single networks that the machine was busy
    with move it little.

    Args:
        then: own costs, shape (n,), NaN where not measured.
        now: the same of the same networks.

    >>> change = cost_change(np.full(20, 0.5), np.linspace(0.6, 0.7, 20))
    >>> round(change.ratio, 2), change.low > 1.2, change.networks
    (1.3, True, 20)
    """
    both = (then > 0) & (now > 0)
    if not both.any():
        return NOT_MEASURED
    ratios = np.sort(now[both] / then[both])
    low, high = _bounds_of_median(ratios)
    return CostChange(
        float(np.median(then[both])), float(np.median(now[both])), float(np.median(ratios)), low, high, len(ratios)
    )


def _bounds_of_median(ordered: Floats) -> tuple[float, float]:
    """The order statistics that hold the median with the confidence; NaN of too few values."""
    from scipy.stats import binom

    n = len(ordered)
    # With k values left out on each side, the median is missed with probability 2 P(B <= k - 1).
    k = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    if binom.cdf(k, n, 0.5) > (1 - CONFIDENCE) / 2:
        k -= 1
    if k < 0:
        return math.nan, math.nan
    return float(ordered[k]), float(ordered[n - 1 - k])
