"""Paired comparison of two proxies on the same networks: does one rank better than the other?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from harness.analysis.statistics.correlation import two_sided_quantile
from harness.analysis.statistics.jackknife import Jackknife, jackknife
from harness.analysis.statistics.over_seeds import MeanOverSeeds
from harness.analysis.statistics.ranks import rank

Verdict = Literal["win", "tie", "loss", "undefined"]


@dataclass(frozen=True)
class Comparison:
    """The difference between two proxies' Kendall τ-b with the same accuracies of the same networks.

    Attributes:
        difference: the proxy's τ-b minus the baseline's; positive if the proxy ranks better.
        low: the lower confidence bound of the difference.
        high: the upper confidence bound of the difference.
        p_value: two-sided, for no difference in the population; not corrected for the number of proxies compared,
            which :mod:`harness.analysis.statistics.multiplicity` does.
        verdict: ``win`` if the interval lies above zero, ``loss`` if it lies below, else ``tie``. Equivalently: win or
            loss if the p-value is below 1 - confidence. ``undefined`` if the difference or its spread is undefined.
        spearman_difference: the proxy's Spearman ρ minus the baseline's.
    """

    difference: float
    low: float
    high: float
    p_value: float
    verdict: Verdict
    spearman_difference: float


def compare(score: ArrayLike, baseline: ArrayLike, truth: ArrayLike, confidence: float = 0.95) -> Comparison:
    """Compare a proxy with a baseline on the same networks.

    Both coefficients come from the same networks, so a sample that is easy or hard to rank affects both. The jackknife
    of their difference accounts for this; comparing two separate intervals would not.

    Args:
        score: the proxy's scores, shape (n,), oriented so that higher is better.
        baseline: the baseline's scores of the same networks, oriented likewise.
        truth: the true accuracies of the same networks, higher is better.
        confidence: of the interval; 1 - confidence is the level of the verdict.

    Raises:
        ValueError: for NaN or infinite values, for other shapes, and for a confidence outside (0, 1).

    >>> compare([1, 2, 3, 4], [10, 20, 30, 40], [1, 3, 2, 4])
    Comparison(difference=0.0, low=0.0, high=0.0, p_value=1.0, verdict='tie', spearman_difference=0.0)
    """
    y = rank(truth)
    return compare_jackknives(jackknife(rank(score), y), jackknife(rank(baseline), y), confidence)


def compare_jackknives(
    proxy: tuple[Jackknife, Jackknife], baseline: tuple[Jackknife, Jackknife], confidence: float
) -> Comparison:
    """The comparison of two (τ-b, ρ) pairs computed on the same networks."""
    (kendall_proxy, spearman_proxy), (kendall_baseline, spearman_baseline) = proxy, baseline
    found = difference_test(kendall_proxy - kendall_baseline, confidence)
    verdict = verdict_of(found.low, found.high)
    spearman_difference = spearman_proxy.value - spearman_baseline.value
    return Comparison(found.value, found.low, found.high, found.p_value, verdict, spearman_difference)


@dataclass(frozen=True)
class Difference:
    """A difference of two coefficients on the same networks, with a test of whether it is zero.

    Attributes:
        value: the difference; NaN if a coefficient is undefined.
        low: the lower confidence bound; NaN if the jackknife sees no spread although the values differ.
        high: the upper confidence bound, NaN in the same cases.
        p_value: two-sided, for no difference in the population; NaN in the same cases.
        standard_error: the jackknife's.
    """

    value: float
    low: float
    high: float
    p_value: float
    standard_error: float


def difference_test(difference: Jackknife | MeanOverSeeds, confidence: float) -> Difference:
    r"""The interval :math:`d \pm q\,\mathrm{SE}(d)` and the p-value of :math:`d / \mathrm{SE}(d)`.

    Both use Student's t with the degrees of freedom of the standard error.

    Args:
        difference: of two coefficients of the same networks.
        confidence: of the interval.

    Raises:
        ValueError: for a confidence outside (0, 1).
    """
    return tested(difference.value, difference.standard_error, difference.degrees_of_freedom, confidence)


def tested(value: float, error: float, freedom: float, confidence: float) -> Difference:
    """The interval and the p-value of :func:`difference_test` from a difference and its standard error."""
    from scipy.special import stdtr

    reach = two_sided_quantile(confidence, freedom) * error
    if error > 0:
        p_value = 2 * float(stdtr(freedom, -abs(value) / error))
    elif error == 0 and value == 0:
        p_value = 1.0
    else:
        reach = p_value = math.nan
    return Difference(value, value - reach, value + reach, p_value, error)


def verdict_of(low: float, high: float) -> Verdict:
    """The verdict of an interval of a difference."""
    if math.isnan(low) or math.isnan(high):
        return "undefined"
    if low > 0:
        return "win"
    return "loss" if high < 0 else "tie"
