r"""Kendall's τ-b and Spearman's ρ with each network left out in turn, exactly, from one O(n log n) pass.

With :math:`s_{ij} = \operatorname{sign}(x_i - x_j)` and :math:`t_{ij} = \operatorname{sign}(y_i - y_j)` both
coefficients are ratios of sums that change in closed form when item i is removed:

* τ-b (Kendall 1945): :math:`S / \sqrt{(P - P_x)(P - P_y)}` where :math:`S = \frac12\sum_i c_i` and P, P_x, P_y count
  all pairs, those tied in x and those tied in y. S loses c_i, P loses n - 1, and P_x loses the number of items tied
  with i.
* ρ is Pearson's correlation of the average ranks. Twice the centred rank is :math:`u_i = \sum_j s_{ij}`; without
  item i it is :math:`u_j + s_{ij}`, so that :math:`\sum_j u_j v_j` becomes
  :math:`Q - u_i v_i + \sum_j s_{ij} v_j + \sum_j t_{ij} u_j + c_i`. Sums over the larger and the smaller items are
  prefix sums.

All sums are integers, the largest about n³/3, hence exact in 64 bits up to ``MOST_NETWORKS``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.concordance import concordance
from harness.analysis.statistics.ranks import Integers, Ranks

Floats = NDArray[np.float64]

FEWEST_NETWORKS = 3
"""With fewer networks, leaving one out leaves no pair."""

MOST_NETWORKS = 3_000_000
"""With more networks, the sums of Spearman's ρ would overflow 64-bit integers."""


@dataclass(frozen=True)
class Jackknife:
    """A coefficient and its values with one item left out.

    Attributes:
        value: the coefficient; NaN if undefined, that is for fewer than three items or a constant side.
        left_out: the coefficient without item i, shape (n,); NaN if undefined.
    """

    value: float
    left_out: Floats

    @property
    def standard_error(self) -> float:
        r"""Tukey's :math:`\sqrt{\frac{n-1}{n} \sum_i (\hat\theta_{(i)} - \bar\theta)^2}`; NaN if any term is."""
        n = len(self.left_out)
        if n < FEWEST_NETWORKS:
            return float("nan")
        error = float(np.sqrt((n - 1) * self.left_out.var()))
        # The error of equal values from rounding alone is about this large.
        rounding = 4 * np.finfo(float).eps * n**0.5
        return 0.0 if error < rounding else error

    @property
    def networks(self) -> int:
        """The number of items, n."""
        return len(self.left_out)

    @property
    def degrees_of_freedom(self) -> float:
        """Of the standard error: n - 1."""
        return self.networks - 1

    def __sub__(self, other: Jackknife) -> Jackknife:
        """The difference of two coefficients of the same items, itself with each item left out."""
        return Jackknife(self.value - other.value, self.left_out - other.left_out)


def jackknife(x: Ranks, y: Ranks) -> tuple[Jackknife, Jackknife]:
    """Kendall's τ-b and Spearman's ρ of two rankings of the same items.

    Raises:
        ValueError: if the rankings have different lengths, or more than ``MOST_NETWORKS`` items.
    """
    if len(x) != len(y):
        raise ValueError(f"every network needs one value of each kind, but there are {len(x)} and {len(y)}")
    if len(x) > MOST_NETWORKS:
        raise ValueError(f"{len(x)} networks are too many; rank correlations are exact up to {MOST_NETWORKS}")
    c = concordance(x, y)
    return _kendall(x, y, c), _spearman(x, y, c)


def _kendall(x: Ranks, y: Ranks, c: Integers) -> Jackknife:
    n = len(x)
    agreement = int(c.sum()) // 2
    pairs = n * (n - 1) // 2
    untied_x = pairs - x.tied_pairs
    untied_y = pairs - y.tied_pairs
    return _ratios(
        whole=(agreement, untied_x, untied_y),
        left_out=(agreement - c, untied_x - (n - x.ties), untied_y - (n - y.ties)),
    )


def _spearman(x: Ranks, y: Ranks, c: Integers) -> Jackknife:
    u, v = x.centred, y.centred
    product = int(u @ v)
    return _ratios(
        whole=(product, int(u @ u), int(v @ v)),
        left_out=(
            product - u * v + _smaller_minus_larger(x, v) + _smaller_minus_larger(y, u) + c,
            _squares_left_out(x),
            _squares_left_out(y),
        ),
    )


def _smaller_minus_larger(ranks: Ranks, weights: Integers) -> Integers:
    r""":math:`\sum_j \operatorname{sign}(x_i - x_j) w_j` for each i; the weights sum to zero."""
    prefix = np.zeros(len(ranks) + 1, dtype=np.int64)
    np.cumsum(weights[ranks.order], out=prefix[1:])
    smaller_minus_larger: Integers = prefix[ranks.start] + prefix[ranks.end]
    return smaller_minus_larger


def _squares_left_out(ranks: Ranks) -> Integers:
    r""":math:`\sum_j u_j^2 = (n^3 - n - \sum (t^3 - t)) / 3` over the groups of t equals, with each item left out."""
    n, u = len(ranks), ranks.centred
    return int(u @ u) - n * (n - 1) + ranks.ties * (ranks.ties - 1)


def _ratios(whole: tuple[int, int, int], left_out: tuple[Integers, Integers, Integers]) -> Jackknife:
    numerator, a, b = (np.append(part, total).astype(np.float64) for total, part in zip(whole, left_out, strict=True))
    if len(numerator) <= FEWEST_NETWORKS:
        return Jackknife(float("nan"), np.full(len(numerator) - 1, np.nan))
    # The square root of a square is exact, so a perfect ranking gives exactly 1.
    scale = np.sqrt(a * b)
    values = np.divide(numerator, scale, out=np.full_like(numerator, np.nan), where=scale > 0)
    return Jackknife(float(values[-1]), values[:-1])
