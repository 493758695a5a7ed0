"""Kendall's τ-b and Spearman's ρ between a score and the true accuracy, each with a confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from harness.analysis.statistics.jackknife import Jackknife, jackknife
from harness.analysis.statistics.over_seeds import MeanOverSeeds
from harness.analysis.statistics.ranks import rank


@dataclass(frozen=True)
class Estimate:
    """A coefficient with its confidence interval.

    Attributes:
        value: the coefficient, in [-1, 1]. NaN (undefined) with fewer than three networks, or if all scores or all
            accuracies are equal.
        low: the lower confidence bound; NaN if the jackknife cannot estimate the spread: the coefficient is undefined
            with or without some network, does not vary at all, or is exactly 1 or -1.
        high: the upper confidence bound, NaN in the same cases.
        standard_error: the jackknife's, of the coefficient itself.
        networks: the number of networks it is computed from.
    """

    value: float
    low: float
    high: float
    standard_error: float
    networks: int

    def columns(self, name: str) -> dict[str, float]:
        """Value and bounds as a table has them: ``NAME``, ``NAME_low``, ``NAME_high``."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


def kendall(score: ArrayLike, truth: ArrayLike, confidence: float = 0.95) -> Estimate:
    r"""Kendall's rank correlation τ-b, with a jackknife interval.

    .. math:: \tau_b = \frac{C - D}{\sqrt{(P - P_x)(P - P_y)}}

    Of all P pairs of networks, C are concordant, D discordant, P_x tied in the score and P_y in the accuracy
    (Kendall, "The treatment of ties in ranking problems", Biometrika 1945). Time O(n log n).

    Args:
        score: a proxy's scores, shape (n,), oriented so that higher is better.
        truth: the true accuracies of the same networks, shape (n,), higher is better.
        confidence: the probability with which the interval should contain the coefficient of the population.

    Raises:
        ValueError: for NaN or infinite values, for other shapes, and for a confidence outside (0, 1).

    >>> estimate = kendall([1, 2, 3, 4, 5, 6], [1, 3, 2, 5, 4, 6])
    >>> f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
    '0.733 [-0.232, 0.971]'
    """
    kendall_jackknife, _ = jackknife(rank(score), rank(truth))
    return estimate(kendall_jackknife, confidence)


def spearman(score: ArrayLike, truth: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Spearman's rank correlation ρ, with a jackknife interval: Pearson's correlation of the average ranks.

    Arguments, result and errors are those of :func:`kendall` (Spearman, American Journal of Psychology 1904).

    >>> round(spearman([1, 2, 3, 4, 5, 6], [1, 3, 2, 5, 4, 6]).value, 3)
    0.886
    """
    _, spearman_jackknife = jackknife(rank(score), rank(truth))
    return estimate(spearman_jackknife, confidence)


def estimate(coefficient: Jackknife | MeanOverSeeds, confidence: float) -> Estimate:
    r"""The coefficient with the interval :math:`\tanh(\tanh^{-1}\hat\theta \pm q\,\mathrm{SE} / (1 - \hat\theta^2))`.

    Fisher's transformation (1915) keeps the bounds within [-1, 1]; the delta method transforms the standard error. q is
    the quantile of Student's t with the degrees of freedom of the standard error.
    """
    value, error = coefficient.value, coefficient.standard_error
    quantile = two_sided_quantile(confidence, coefficient.degrees_of_freedom)
    low = high = math.nan
    if error > 0 and abs(value) < 1:
        centre = math.atanh(value)
        reach = quantile * error / (1 - value**2)
        low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    return Estimate(value, low, high, error, coefficient.networks)


def two_sided_quantile(confidence: float, degrees_of_freedom: float) -> float:
    """Two-sided quantile of Student's t; NaN without degrees of freedom.

    Raises:
        ValueError: for a confidence outside (0, 1).
    """
    from scipy.special import stdtrit

    if not 0 < confidence < 1:
        raise ValueError(f"the confidence must lie between 0 and 1, such as 0.95; it is {confidence}")
    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2)) if degrees_of_freedom > 0 else math.nan
