"""What each proxy costs on each network, and whether it costs more than it did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.statistics.jackknife import Floats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class CostChange:
    """A proxy's own cost then and now, on the networks where both were measured.

    Attributes:
        then: median own cost, in forward and backward passes of the same network.
        now: the same of the run that is checked.
        ratio: the median over networks of now / then; NaN where nothing was measured. It is no quotient of the
            medians, and of a small cost not of passes either.
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


class Place(NamedTuple):
    """Where and with what costs were measured."""

    processor: str
    clock: str
    torch: str


@dataclass(frozen=True)
class OwnCosts:
    """What the proxies' own work takes, as :mod:`harness.gate.measure_costs` measures it.

    Attributes:
        passes: for each network (row) and proxy (column), in forward and backward passes; NaN where it fails.
        calls: for each network what small operations take, in passes: one for each parameter tensor.
        place: where they were measured.
    """

    passes: pd.DataFrame
    calls: pd.Series[float]
    place: Place

    def change_to(self, now: OwnCosts, proxy: str) -> CostChange:
        """What became of a proxy's cost, on the networks that were measured both times.

        Arithmetic and calls of Python do not always speed up and slow down together. So what takes less than ``SMALL``
        passes, and is hardly arithmetic, is set beside small operations; all else beside passes.
        """
        if proxy not in self.passes or proxy not in now.passes:
            return NOT_MEASURED
        networks = self.passes.index.intersection(now.passes.index)
        then_, now_ = self.passes.loc[networks, proxy], now.passes.loc[networks, proxy]
        change = cost_change(then_.to_numpy(), now_.to_numpy())
        if not change.then < SMALL:
            return change
        small = cost_change((then_ / self.calls[networks]).to_numpy(), (now_ / now.calls[networks]).to_numpy())
        return replace(small, then=change.then, now=change.now)


SMALL = 0.05
"""Forward and backward passes."""


def median_of(measurements: Sequence[OwnCosts]) -> OwnCosts:
    """The median of several measurements of the same proxies, for each network."""
    first = measurements[0]
    passes = pd.concat([costs.passes for costs in measurements], keys=range(len(measurements)))
    calls = pd.concat([costs.calls for costs in measurements], keys=range(len(measurements)))
    order = first.passes.index
    return replace(
        first, passes=passes.groupby(level=1).median().loc[order], calls=calls.groupby(level=1).median()[order]
    )


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
