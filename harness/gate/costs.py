"""The cost of each proxy on each network, and its change since the baseline."""

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
    """The change of a proxy's own cost, on the networks measured in both.

    Attributes:
        then: median own cost in the baseline, in forward and backward passes of the same network.
        now: the same for the checked run.
        ratio: the median over networks of now / then; NaN if nothing was measured. It is not the quotient of the
            medians, and for small costs it does not compare passes (see :meth:`OwnCosts.change_to`).
        low: the lower 95 % bound of that median.
        high: its upper bound.
        networks: number of networks compared.
    """

    then: float = math.nan
    now: float = math.nan
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    networks: int = 0


NOT_MEASURED = CostChange()


class Place(NamedTuple):
    """The processor, clock and torch version of a cost measurement."""

    processor: str
    clock: str
    torch: str


@dataclass(frozen=True)
class OwnCosts:
    """The proxies' own costs, as measured by :mod:`harness.gate.measure_costs`.

    Attributes:
        passes: for each network (row) and proxy (column), in forward and backward passes; NaN if it fails.
        calls: for each network the cost of one small operation per parameter tensor, in passes.
        place: where they were measured.
    """

    passes: pd.DataFrame
    calls: pd.Series[float]
    place: Place

    def change_to(self, now: OwnCosts, proxy: str) -> CostChange:
        """The change of a proxy's cost, on the networks measured in both.

        Arithmetic and Python calls do not always speed up or slow down together. So costs below ``SMALL`` passes, which
        are mostly not arithmetic, are compared relative to small operations; all others relative to passes.
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
"""Costs below this, in forward and backward passes, count as small."""


def median_of(measurements: Sequence[OwnCosts]) -> OwnCosts:
    """The median of several measurements of the same proxies, per network."""
    first = measurements[0]
    passes = pd.concat([costs.passes for costs in measurements], keys=range(len(measurements)))
    calls = pd.concat([costs.calls for costs in measurements], keys=range(len(measurements)))
    order = first.passes.index
    return replace(
        first, passes=passes.groupby(level=1).median().loc[order], calls=calls.groupby(level=1).median()[order]
    )


def cost_change(then: Floats, now: Floats) -> CostChange:
    r"""Compare the costs of one proxy on the same networks.

    What makes a network expensive cancels in :math:`r_i = \text{now}_i / \text{then}_i`. The interval of the median of
    r is that of the sign test: it holds for any distribution, so single networks measured on a busy machine hardly
    affect it. Both have shape (n,) and are NaN where not measured.

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
    """The order statistics that contain the median with ``CONFIDENCE``; NaN for too few values."""
    from scipy.stats import binom

    n = len(ordered)
    # Without k values on each side, the interval misses the median with probability 2 P(B <= k - 1).
    k = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    if binom.cdf(k, n, 0.5) > (1 - CONFIDENCE) / 2:
        k -= 1
    if k < 0:
        return math.nan, math.nan
    return float(ordered[k]), float(ordered[n - 1 - k])
