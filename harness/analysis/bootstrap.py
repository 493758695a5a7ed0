"""Jackknife intervals next to bootstrap intervals, which assume less and cost a thousand times as much."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.analysis.statistics.comparison import difference_test
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import Floats
from harness.analysis.statistics.ranking import on_common_networks, ranking
from harness.seeds import derive_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.analysis.joined import Joined

QUANTITIES = ("kendall", "spearman", "difference")
COLUMNS = (
    "proxy", "quantity", "networks", "value", "low", "high", "standard_error",
    "bootstrap_low", "bootstrap_high", "bootstrap_standard_error",
)  # fmt: skip


def bootstrap_table(
    joined: Joined,
    rows: Iterable[str] | None = None,
    baseline: str = "params",
    resamples: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Jackknife and bootstrap intervals of the same coefficients, side by side.

    The bootstrap is scipy's: networks are drawn with replacement, each with its score, baseline and accuracy; the
    coefficients of each resample are scipy's too; the bounds are percentiles over the resamples (Efron, Annals of
    Statistics 1979).

    The columns of the result, one row per proxy and quantity:

    * ``proxy``; ``quantity``: ``kendall``, ``spearman``, or ``difference``, τ-b minus that of the baseline (which has
      no such row).
    * ``networks``: the number with a finite score of the proxy and, for the difference, of the baseline.
    * ``value``, ``low``, ``high``, ``standard_error``: with the jackknife's interval.
    * ``bootstrap_low``, ``bootstrap_high``, ``bootstrap_standard_error``: the bootstrap's; NaN if the coefficient of a
      resample is undefined.

    Args:
        joined: scores and accuracies.
        rows: names from :attr:`~harness.analysis.joined.Joined.rows`; all of them by default.
        baseline: the row to subtract; without its scores there are no differences.
        resamples: number of bootstrap resamples.
        confidence: of the intervals.
    """
    found = []
    base = joined.rows.get(baseline)
    reference = ranking(base, base.usable, joined.accuracy) if base is not None and base.usable.any() else None
    for name in joined.rows if rows is None else rows:
        proxy = joined.rows[name]
        own = ranking(proxy, proxy.usable, joined.accuracy)
        score, truth = proxy.value[own.used], joined.accuracy[own.used]
        resampled = _bootstrap(np.stack([score, truth]), resamples, confidence)
        for quantity, coefficient, bounds in zip(QUANTITIES[:2], own.coefficients, resampled, strict=True):
            jackknifed = estimate(coefficient, confidence)
            numbers = (jackknifed.value, jackknifed.low, jackknifed.high, jackknifed.standard_error)
            found.append((name, quantity, len(score), *numbers, *bounds))
        if reference is None or name == baseline:
            continue
        own, other = on_common_networks(own, reference, joined.accuracy)
        difference = difference_test(own.coefficients[0] - other.coefficients[0], confidence)
        together = np.stack([part[own.used] for part in (proxy.value, reference.proxy.value, joined.accuracy)])
        (bounds,) = _bootstrap(together, resamples, confidence)
        numbers = (difference.value, difference.low, difference.high, difference.standard_error)
        found.append((name, "difference", together.shape[1], *numbers, *bounds))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _bootstrap(values: Floats, resamples: int, confidence: float) -> list[tuple[float, float, float]]:
    """Bounds and standard errors of τ-b and ρ between two rows of values, or of the difference in τ-b for three."""
    from scipy.stats import bootstrap, kendalltau, spearmanr

    def coefficients(*parts: NDArray[np.float64]) -> Floats:
        *scores, truth = parts
        taus = [float(kendalltau(score, truth).statistic) for score in scores]
        if len(taus) > 1:
            return np.array([taus[0] - taus[1]])
        return np.array([taus[0], float(spearmanr(scores[0], truth).statistic)])

    quantities = 2 if len(values) == 2 else 1
    if not values.size or any(np.ptp(part) == 0 for part in values):
        return [(math.nan, math.nan, math.nan)] * quantities
    result: Any = bootstrap(
        tuple(values),
        coefficients,
        n_resamples=resamples,
        paired=True,
        vectorized=False,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(derive_seed("bootstrap", values.shape[1])),
    )
    low, high = result.confidence_interval
    return [(float(low[i]), float(high[i]), float(result.standard_error[i])) for i in range(quantities)]
