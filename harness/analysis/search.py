"""Random search with a proxy, as in EPE-NAS: of N random networks, train the one with the best score.

EPE-NAS (Lopes et al., 2021, arXiv:2102.08099) averages a few such searches. The mean and the standard deviation over
all possible searches follow from the ranks of the scores, so no repetition is needed; :func:`simulated_search` runs
repetitions as a check.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.joined import Joined
from harness.analysis.statistics.jackknife import Floats
from harness.errors import HarnessError

SIZES = (10, 100, 500, 1000)
"""Numbers of networks that EPE-NAS draws."""

RANDOM, OPTIMUM = "(random)", "(optimum)"
"""Rows that are not proxies: a random network, and the best network by accuracy."""

COLUMNS = ["row", "kind", "scored", "draws", "accuracy", "deviation"]

_CHUNK = 1_000_000
_NO_CHANGE = 1e-9


@dataclass(frozen=True)
class Tied:
    """Networks grouped by equal scores, in ascending order; networks without a score come first.

    Attributes:
        group: the group of each network, counted from the worst. Shape (n,).
        end: the number of networks in each group or a worse one. Shape (groups,).
        mean: the mean accuracy of each group.
        variance: of the accuracies of each group about their mean.
    """

    group: NDArray[np.int32]
    end: NDArray[np.intp]
    mean: Floats
    variance: Floats


def search_table(joined: Joined, sizes: Iterable[int] | None = None, *, replacement: bool = True) -> pd.DataFrame:
    r"""Exact mean and standard deviation, over all draws, of the accuracy that a random search finds.

    Let networks be ordered by score, with :math:`c_g` of the n in the tied group g or a worse one. The best of N draws
    with replacement lies in group g with probability :math:`(c_g/n)^N - (c_{g-1}/n)^N`; without replacement the powers
    become :math:`\binom{c_g}{N} / \binom{n}{N}`. Within the group every network is equally likely, as in code that
    takes the first of the best among its draws. So

    .. math:: E = \sum_g P_g \bar y_g, \qquad SD^2 = \sum_g P_g \left( s^2_g + (\bar y_g - E)^2 \right)

    with the mean :math:`\bar y_g` and the variance :math:`s^2_g` of the accuracies in the group.

    A network without a finite score is chosen only if no other was drawn.

    The columns of the result: ``row``, a name of :attr:`harness.analysis.joined.Joined.rows`, ``(random)`` (the first
    draw) or ``(optimum)`` (the most accurate of the draws); ``kind``; ``scored``, the number of networks with a finite
    score; ``draws``, N; ``accuracy``, E; ``deviation``, SD, between single searches.

    Args:
        joined: scores and accuracies of the n networks to draw from.
        sizes: the values of N; by default :data:`SIZES`, without replacement only those up to n.
        replacement: whether a network may be drawn twice, as in EPE-NAS's code.

    Raises:
        HarnessError: if there are no networks, a size is less than 1, or it is more than n without replacement.
    """
    wanted = checked_sizes(len(joined), sizes, replacement)
    below = {size: best_rank_distribution(len(joined), size, replacement=replacement) for size in wanted}
    records = []
    for row, kind, score, scored in _rows(joined):
        tied = tied_groups(score, joined.accuracy)
        for size in wanted:
            accuracy, deviation = _moments(tied, below[size])
            records.append((row, kind, scored, size, accuracy, deviation))
    return pd.DataFrame(records, columns=COLUMNS)


def simulated_search(
    joined: Joined,
    sizes: Iterable[int] | None = None,
    *,
    replacement: bool = True,
    repetitions: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """The columns of :func:`search_table` from simulated searches, with the same draws for every row.

    Args:
        joined: scores and accuracies.
        sizes: as in :func:`search_table`.
        replacement: whether a network may be drawn twice.
        repetitions: number of searches of each size.
        seed: of the draws.

    Raises:
        HarnessError: as :func:`search_table` does, or if there are fewer than two repetitions.
    """
    if repetitions < 2:
        raise HarnessError(f"the number of repetitions is {repetitions}; a standard deviation needs 2 or more")
    wanted = checked_sizes(len(joined), sizes, replacement)
    rng = np.random.default_rng(seed)
    rows = list(_rows(joined))
    groups = [tied_groups(score, joined.accuracy).group for _, _, score, _ in rows]
    records = []
    for size in wanted:
        found = np.empty((len(rows), repetitions))
        for start, drawn in _draws(rng, len(joined), size, repetitions, replacement):
            for number, group in enumerate(groups):
                # The draws are in random order, so the first of the best is a random one of them.
                best = drawn[np.arange(len(drawn)), group[drawn].argmax(axis=1)]
                found[number, start : start + len(drawn)] = joined.accuracy[best]
        for (row, kind, _, scored), values in zip(rows, found, strict=True):
            records.append((row, kind, scored, size, float(values.mean()), float(values.std(ddof=1))))
    table = pd.DataFrame(records, columns=COLUMNS)
    order = {row: place for place, (row, _, _, _) in enumerate(rows)}
    return table.sort_values("row", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def growth_table(curve: pd.DataFrame) -> pd.DataFrame:
    """Whether drawing more networks helps: one line per row of a search table.

    The columns: ``row``; ``change``, the expected accuracy at the largest size minus that at the smallest; ``grows``,
    whether it never falls between neighbouring sizes; ``peak``, the first size with the highest value.

    Args:
        curve: from :func:`search_table`, over any number of sizes.
    """
    records = []
    for row, part in curve.sort_values("draws", kind="stable").groupby("row", sort=False):
        accuracy = part["accuracy"].to_numpy()
        top = int(np.flatnonzero(accuracy >= accuracy.max() - _NO_CHANGE)[0])
        grows = bool((np.diff(accuracy) >= -_NO_CHANGE).all())
        records.append((row, float(accuracy[-1] - accuracy[0]), grows, int(part["draws"].iloc[top])))
    return pd.DataFrame(records, columns=["row", "change", "grows", "peak"])


def curve_sizes(sizes: Sequence[int], points: int = 40) -> list[int]:
    """Sizes evenly spaced on a logarithmic axis between the smallest and largest given size, plus the given ones.

    >>> curve_sizes([1, 10], points=4)
    [1, 2, 5, 10]
    """
    spaced = np.geomspace(min(sizes), max(sizes), points).round().astype(int)
    return sorted({*spaced.tolist(), *sizes})


def best_rank_distribution(networks: int, draws: int, *, replacement: bool = True) -> Floats:
    """The probability that the best of the draws is one of the r worst networks, for r = 0, ..., n. Shape (n + 1,).

    Without replacement it is the product of (j - N) / j over j = r + 1, ..., n, computed in logarithms.

    >>> best_rank_distribution(4, 2).tolist()
    [0.0, 0.0625, 0.25, 0.5625, 1.0]
    >>> best_rank_distribution(4, 2, replacement=False).round(3).tolist()
    [0.0, 0.0, 0.167, 0.5, 1.0]
    """
    if replacement:
        return np.asarray((np.arange(networks + 1) / networks) ** draws, dtype=np.float64)
    below = np.zeros(networks + 1)
    steps = np.log1p(-draws / np.arange(draws + 1, networks + 1))
    below[draws:] = np.exp(np.append(np.cumsum(steps[::-1])[::-1], 0.0))
    return below


def tied_groups(score: Floats, accuracy: Floats) -> Tied:
    """The networks grouped by equal scores; NaN counts as worse than every score."""
    value = np.where(np.isfinite(score), score, -np.inf)
    order = np.argsort(value, kind="stable")
    ascending = value[order]
    begins = np.append(True, ascending[1:] != ascending[:-1])
    starts = np.flatnonzero(begins)
    end = np.append(starts[1:], len(order))
    place = np.cumsum(begins) - 1
    group = np.empty(len(order), dtype=np.int32)
    group[order] = place
    ordered, sizes = accuracy[order], np.bincount(place)
    mean = np.add.reduceat(ordered, starts) / sizes
    return Tied(group, end, mean, np.add.reduceat((ordered - mean[place]) ** 2, starts) / sizes)


def chances(score: Floats, draws: int) -> Floats:
    """The probability that each network is chosen: that it scores best of ``draws`` with replacement. Shape (n,).

    Equal scores share their probability. A network without a finite score is never chosen before one with a score.

    Args:
        score: shape (n,), higher is better, NaN for none.
        draws: number of networks drawn.

    >>> chances(np.array([1.0, 3.0, 2.0]), 2).round(3).tolist()
    [0.111, 0.556, 0.333]
    """
    tied = tied_groups(score, np.zeros(len(score)))
    share = np.diff(best_rank_distribution(len(score), draws)[tied.end], prepend=0.0)
    return np.asarray(share / np.bincount(tied.group), dtype=np.float64)[tied.group]


def checked_sizes(networks: int, sizes: Iterable[int] | None, replacement: bool) -> list[int]:
    """The sizes in ascending order; raises HarnessError for sizes that cannot be drawn."""
    if networks == 0:
        raise HarnessError("there are no networks to draw from; choose another set")
    if sizes is None:
        return [size for size in SIZES if replacement or size <= networks] or [networks]
    wanted = sorted(set(sizes))
    if not wanted or wanted[0] < 1:
        raise HarnessError(f"a search needs 1 or more draws, not {wanted[0] if wanted else 'none'}")
    if not replacement and wanted[-1] > networks:
        raise HarnessError(
            f"{wanted[-1]:,} of {networks:,} networks cannot be drawn without replacement; use fewer draws"
        )
    return wanted


def _rows(joined: Joined) -> Iterator[tuple[str, str, Floats, int]]:
    """Name, kind, scores and number of scored networks of every row."""
    for name, scores in joined.rows.items():
        yield name, joined.kind(name), scores.value, int(scores.usable.sum())
    yield RANDOM, "random", np.zeros(len(joined)), len(joined)
    yield OPTIMUM, "optimum", joined.accuracy, len(joined)


def _moments(tied: Tied, below: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the accuracy for this order of the networks."""
    probability = np.diff(below[tied.end], prepend=0.0)
    mean = float(probability @ tied.mean)
    return mean, math.sqrt(float(probability @ (tied.variance + (tied.mean - mean) ** 2)))


def _draws(
    rng: np.random.Generator, networks: int, size: int, repetitions: int, replacement: bool
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Draws in chunks of repetitions, with the number of the first one; (repetitions, size), in random order."""
    step = max(1, _CHUNK // size)
    for start in range(0, repetitions, step):
        shape = (min(step, repetitions - start), size)
        if replacement:
            yield start, rng.integers(networks, size=shape)
        else:
            yield start, np.stack([rng.choice(networks, size, replace=False) for _ in range(shape[0])])
