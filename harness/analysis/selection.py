r"""Selection by a proxy: the networks that it would choose, and how good the best of them is.

A proxy that chooses k of n networks takes those with the highest scores. If several are tied for the last places, it
chooses among them at random. All results are expected values over these random choices, in closed form: #Params has
only 28 distinct values on NAS-Bench-201, and the order of a file must not matter. A network without a finite score is
never chosen, but counts in n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.joined import Joined
from harness.analysis.statistics.concordance import concordance
from harness.analysis.statistics.jackknife import Floats
from harness.analysis.statistics.ranks import Integers, rank
from harness.analysis.top import share_size
from harness.errors import HarnessError

COUNTS = (1, 10, 100)
PERCENTS = (1.0, 5.0, 10.0)
DISCOUNTED_PERCENT = 10.0
CHANCE = "chance"
"""The row of a random choice."""

COLUMNS = [
    "proxy", "choice", "chosen", "networks",
    "overlap", "precision", "best_rank", "best_accuracy", "regret",
]  # fmt: skip
WHOLE_COLUMNS = ["proxy", "networks", "ndcg", "ndcg_places", "weighted_kendall"]


@dataclass(frozen=True)
class Choice:
    """The result of choosing k of n networks by a proxy, as expectation over the order of tied networks.

    Attributes:
        overlap: the number of the chosen that are among the k most accurate networks.
        best_rank: the rank of the best chosen network among all n by accuracy; 1 is the best.
        best_accuracy: its accuracy.
        regret: the accuracy of the best of all n minus that of the best chosen.
    """

    overlap: float
    best_rank: float
    best_accuracy: float
    regret: float


NOTHING = Choice(*(float("nan"),) * 4)


def selection_table(
    joined: Joined, counts: Sequence[int] = COUNTS, percents: Sequence[float] = PERCENTS
) -> pd.DataFrame:
    """How good each proxy's choice of its top k networks is, one row per proxy and k.

    The columns of the result:

    * ``proxy``: :data:`CHANCE` for a random choice; ``choice``: ``10`` or ``5 %``, as requested; ``chosen``: k;
      ``networks``: n.
    * ``overlap``: the number of the chosen among the k most accurate; ``precision``: ``overlap`` / k, called P@K by
      Ning et al. ("Evaluating Efficient Performance Estimators", NeurIPS 2021).
    * ``best_rank``: the rank of the best chosen network among the n by accuracy, their BR@K without the division by n;
      ``best_accuracy``: its accuracy; ``regret``: how far that is below the best of all.

    All are expectations over the order of tied networks. NaN if a proxy has fewer than k finite scores.

    Args:
        joined: scores and accuracies.
        counts: values of k.
        percents: values of k as shares of n, rounded up.

    Raises:
        HarnessError: for a k below 1 or a share outside (0, 100].
    """
    _check(counts, percents)
    n = len(joined)
    choices = {f"{count:,}": count for count in counts if count <= n}
    choices |= {f"{share:g} %": share_size(n, share) for share in percents}
    rows = []
    for name, scores in {**{row: part.value for row, part in joined.rows.items()}, CHANCE: np.zeros(n)}.items():
        for words, size in choices.items():
            found = choose(scores, joined.accuracy, size)
            values = (found.overlap, found.overlap / size, found.best_rank, found.best_accuracy, found.regret)
            rows.append((name, words, size, n, *values))
    return pd.DataFrame(rows, columns=COLUMNS)


def ranking_table(joined: Joined, percent: float = DISCOUNTED_PERCENT, places: int | None = None) -> pd.DataFrame:
    """Coefficients that give more weight to the best networks, one row per proxy, best nDCG first.

    The columns of the result: ``proxy``; ``networks`` with a finite score; ``ndcg`` (see :func:`ndcg`) over the first
    ``ndcg_places`` places; ``weighted_kendall`` (see :func:`weighted_kendall`).

    Args:
        joined: scores and accuracies; nDCG needs accuracies in percent.
        percent: the places that count for nDCG, as a share of the networks.
        places: the number of places instead.
    """
    size = share_size(len(joined), percent) if places is None else min(places, len(joined))
    rows = []
    for name, scores in {
        **{row: part.value for row, part in joined.rows.items()},
        CHANCE: np.zeros(len(joined)),
    }.items():
        used = np.isfinite(scores)
        tau = weighted_kendall(scores[used], joined.accuracy[used])
        rows.append((name, int(used.sum()), ndcg(scores, joined.accuracy, size), size, tau))
    table = pd.DataFrame(rows, columns=WHOLE_COLUMNS)
    return table.sort_values("ndcg", ascending=False, kind="stable", na_position="last", ignore_index=True)


def choose(scores: Floats, accuracy: Floats, size: int) -> Choice:
    r"""How good the ``size`` networks with the highest scores are.

    Of the t networks tied at the cut, m are taken at random. So each is chosen with probability m / t, and the best of
    them is the j-th best of the t (from 0) with probability :math:`\binom{t-1-j}{m-1} / \binom{t}{m}`.

    Args:
        scores: (n,), higher is better, NaN if there is none.
        accuracy: (n,), higher is better.
        size: k.

    Returns:
        The choice; its fields are NaN if fewer than k scores are finite.

    >>> choose(np.array([3.0, 1.0, 1.0, 1.0]), np.array([70.0, 60.0, 80.0, 90.0]), 2)
    Choice(overlap=0.6666666666666666, best_rank=2.0, best_accuracy=80.0, regret=10.0)
    """
    usable = np.flatnonzero(np.isfinite(scores))
    if not 1 <= size <= len(usable):
        return NOTHING
    certain, tied = _cut(scores[usable], size)
    certain, tied = usable[certain], usable[tied]
    taken = size - len(certain)
    best, by_lot = _cut(accuracy, size)
    deserves = np.zeros(len(accuracy))
    deserves[best] = 1
    deserves[by_lot] = (size - len(best)) / len(by_lot)
    overlap = deserves[certain].sum() + deserves[tied].sum() * taken / len(tied)
    # The networks chosen for certain set a lower bound for every outcome of the draw.
    floor = accuracy[certain].max(initial=-np.inf)
    outcomes = np.maximum(np.sort(accuracy[tied])[::-1], floor)
    chances = best_of_draw(len(tied), taken)
    ascending = np.sort(accuracy)
    ranks = 1 + len(accuracy) - np.searchsorted(ascending, outcomes, side="right")
    found = float(chances @ outcomes)
    return Choice(float(overlap), float(chances @ ranks), found, float(ascending[-1] - found))


def best_of_draw(pool: int, drawn: int) -> Floats:
    r"""For each place 0, 1, … of a pool, the probability that it is the best of ``drawn`` without replacement.

    :math:`\binom{t-1-j}{m-1} / \binom{t}{m}`, as a running product.

    >>> best_of_draw(3, 2).round(3).tolist()
    [0.667, 0.333, 0.0]
    """
    places = np.arange(pool)
    none_better = np.cumprod(np.r_[1.0, np.maximum(pool - drawn - places[:-1], 0) / (pool - places[:-1])])
    chances: Floats = none_better * drawn / (pool - places)
    return np.where(places > pool - drawn, 0.0, chances)


def ndcg(scores: Floats, accuracy: Floats, places: int) -> float:
    r"""Normalised discounted cumulative gain of the first P places of a proxy's ranking, in [0, 1].

    .. math:: \mathrm{nDCG}_P = \frac{1}{Z} \sum_{j=1}^{P} \frac{2^{a_j} - 1}{\log_2(1 + j)}

    with :math:`a_j` the accuracy **in percent** of the network in place j, and Z the same sum for the ranking by
    accuracy (Järvelin & Kekäläinen, TOIS 2002, with the exponential gain of Burges et al., ICML 2005). The gain doubles
    with each percentage point, so only the last few points matter. Tied networks share the mean gain of their places,
    which is the expected value over their order. VKDNW's tables use this measure (Týbl & Neumann, CVPR 2025), but its
    code does not contain it: with P = 1,000 of 9,445 networks, test accuracy and this gain, the numbers of trainable
    layers and of parameters reproduce its values.

    Args:
        scores: (n,), higher is better, NaN if there is none; such a network has no place.
        accuracy: (n,), in percent.
        places: P.

    >>> ndcg(np.array([3.0, 2.0, 1.0]), np.array([90.0, 91.0, 89.0]), 2)  # doctest: +ELLIPSIS
    0.859...
    """
    usable = np.flatnonzero(np.isfinite(scores))
    if not 1 <= places <= len(accuracy) or len(usable) == 0:
        return float("nan")
    # The highest gain is set to one: 2^a itself would overflow for large values.
    gains = np.exp2(accuracy - accuracy.max()) - np.exp2(-accuracy.max())
    ranks = rank(-scores[usable])
    sums = np.r_[0.0, np.cumsum(gains[usable][ranks.order])]
    start, end = ranks.start[ranks.order], ranks.end[ranks.order]
    expected = (sums[end] - sums[start]) / (end - start)
    discount = 1 / np.log2(np.arange(places) + 2)
    ideal = float(np.sort(gains)[::-1][:places] @ discount)
    found = float(expected[:places] @ discount[: len(expected)])
    return found / ideal if ideal > 0 else float("nan")


def weighted_kendall(scores: Floats, accuracy: Floats) -> float:
    r"""Vigna's weighted τ with additive hyperbolic weights: exchanges near the top cost more.

    .. math:: \frac{\sum_i w_i c_i}{\sqrt{\sum_i w_i (n - t_{x,i}) \sum_i w_i (n - t_{y,i})}}, \quad w_i = 1 / (1 + r_i)

    with :math:`c_i` the concordance of network i, :math:`t_i` the number of networks tied with it, including itself,
    and :math:`r_i` its place from the top, counted from 0. So the weight of a pair is the sum of its two weights. The
    result is the mean of two values: with places by score (ties by accuracy), and by accuracy (ties by score) (Vigna,
    "A Weighted Correlation Index for Rankings with Ties", WWW 2015). NaN if undefined. ``scipy.stats.weightedtau``
    returns the same but is slower on many networks.

    >>> round(weighted_kendall(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 4.0, 3.0])), 3)
    0.52
    """
    x, y = rank(scores), rank(accuracy)
    n = len(x)
    if min(x.distinct, y.distinct) < 2:
        return float("nan")
    c = concordance(x, y)
    found = []
    for first, second in ((x, y), (y, x)):
        weights = np.empty(n)
        weights[np.argsort(first.start * n + second.start)[::-1]] = 1 / (1 + np.arange(n))
        scale = np.sqrt((weights @ (n - x.ties)) * (weights @ (n - y.ties)))
        found.append(weights @ c / scale)
    return float(np.mean(found))


def _cut(values: Floats, size: int) -> tuple[Integers, Integers]:
    """The positions of values above the ``size``-th highest value, and of those equal to it."""
    last = np.partition(values, len(values) - size)[-size]
    return np.flatnonzero(values > last), np.flatnonzero(values == last)


def _check(counts: Sequence[int], percents: Sequence[float]) -> None:
    for value, fits, form in (
        *((count, count >= 1, "whole numbers from 1") for count in counts),
        *((share, 0 < share <= 100, "shares above 0, up to 100") for share in percents),
    ):
        if not fits:
            raise HarnessError(f"cannot choose {value} networks or percent; use {form}")


def at(table: pd.DataFrame, choice: str, column: str) -> Mapping[str, float]:
    """One column of :func:`selection_table` for one choice, by proxy."""
    return dict(table[table["choice"] == choice].set_index("proxy")[column])
