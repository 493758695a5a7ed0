"""Mean ranks across spaces: one definition, for the leaderboard and for ``harness analyse anywhere``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

LEVEL = 0.05
FEWEST_SPACES = 3
"""With fewer spaces, an interval of a mean over spaces says nothing."""
COLUMNS = ["proxy", "rival", "widespread", "spaces_ranked", "mean_rank", "mean_rank_low", "mean_rank_high"]


@dataclass(frozen=True)
class MeanRanks:
    """Mean ranks, and what they can show.

    Attributes:
        proxies: one row per proxy, with the columns :data:`COLUMNS`, see :func:`mean_ranks`; ``rival`` and
            ``widespread`` are whether every run and at least half of the spaces rank it. The rivals come first, those
            that are not widespread last, each group by the mean rank.
        ranks: the rank of every proxy (columns) in every run (rows); NaN where it has no coefficient.
        rivals: the proxies with a coefficient in every run, which all are ranked among.
        spaces: the number of spaces.
        critical_difference: two rivals whose mean ranks differ by less are not shown to differ, see
            :func:`critical_difference`; NaN with fewer than two spaces or rivals.
        friedman_p: the p-value of Friedman's test that all rivals rank alike; NaN with fewer than three of either.
    """

    proxies: pd.DataFrame = field(repr=False)
    ranks: pd.DataFrame = field(repr=False)
    rivals: tuple[str, ...]
    spaces: int
    critical_difference: float
    friedman_p: float


def mean_ranks(coefficients: pd.DataFrame) -> MeanRanks:
    r"""The mean rank of every proxy across spaces.

    All proxies are ranked among the same rivals: those with a coefficient in every run. If ranks were counted among
    whatever proxies a run has, a proxy would rank better or worse by the company it is in. A run ranks a proxy by the
    share of its rivals, itself aside, that have a higher coefficient; ties count half. As a place among k rivals it is
    :math:`1 + (k - 1) \cdot share`, 1 for ahead of all and k for behind all. For a rival that is its rank as usual,
    equal coefficients sharing the mean of their ranks. For another proxy it is the place that it would have.

    Runs of one space rank the same networks, so they count as one: a proxy's ranks in them are averaged first. The
    mean over spaces has an interval by Student's t with the spaces as the sample, within 1 and k. With so few spaces, a
    bootstrap's percentiles would be too narrow. The interval says how the mean would vary with other spaces; it says
    nothing about the difference of two proxies, whose ranks in a space depend on each other.

    Args:
        coefficients: columns ``run``, ``space``, ``proxy`` and ``kendall``, one row per run and proxy; higher is
            better.
    """
    wide = coefficients.pivot(index="run", columns="proxy", values="kendall")
    rivals = wide.dropna(axis=1)
    ranks = pd.DataFrame({proxy: _ranks(wide[proxy], rivals) for proxy in wide}, index=wide.index)
    by_space = ranks.groupby(coefficients.drop_duplicates("run").set_index("run")["space"]).mean()
    number = rivals.shape[1]
    rows = []
    for proxy in by_space:
        own = by_space[proxy].dropna().to_numpy(dtype=float)
        rows.append((proxy, proxy in rivals, 2 * len(own) >= len(by_space), len(own), *_mean(own, number)))
    order = {"rival": False, "widespread": False, "mean_rank": True, "proxy": True}
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    return MeanRanks(
        table,
        ranks,
        tuple(map(str, rivals)),
        len(by_space),
        critical_difference(number, len(by_space)),
        _friedman(by_space[list(rivals)]),
    )


def critical_difference(proxies: int, spaces: int, level: float = LEVEL) -> float:
    r"""Nemenyi's critical difference of mean ranks, as Demšar recommends it (JMLR 2006, section 3.2.2).

    .. math:: \frac{q_\alpha}{\sqrt{2}} \sqrt{\frac{k (k + 1)}{6 N}}

    with :math:`q_\alpha` the quantile of the studentized range of k proxies with infinitely many degrees of freedom,
    and N spaces. NaN for fewer than two of either.

    >>> round(critical_difference(5, 10), 2), round(critical_difference(10, 10), 2)
    (1.93, 4.28)
    """
    from scipy.stats import studentized_range

    if min(proxies, spaces) < 2:
        return math.nan
    quantile = float(studentized_range.ppf(1 - level, proxies, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(proxies * (proxies + 1) / (6 * spaces))


def _ranks(own: pd.Series[float], rivals: pd.DataFrame) -> pd.Series[float]:
    """A proxy's place among the rivals in every run; NaN without a coefficient, or with fewer than two rivals."""
    others = rivals.drop(columns=str(own.name), errors="ignore")
    number = rivals.shape[1]
    if number < 2:
        return own * math.nan
    ahead = others.gt(own, axis=0).sum(axis=1) + others.eq(own, axis=0).sum(axis=1) / 2
    return (1 + (number - 1) * ahead / others.shape[1]).where(own.notna())


def _mean(ranks: np.ndarray[tuple[int], np.dtype[np.float64]], worst: int) -> tuple[float, float, float]:
    """The mean of ranks in spaces with its 95 % interval, NaN for fewer than :data:`FEWEST_SPACES`."""
    from scipy.stats import t

    if not len(ranks):
        return math.nan, math.nan, math.nan
    mean = float(ranks.mean())
    if len(ranks) < FEWEST_SPACES:
        return mean, math.nan, math.nan
    half = float(t.ppf(1 - LEVEL / 2, len(ranks) - 1) * ranks.std(ddof=1) / math.sqrt(len(ranks)))
    return mean, max(mean - half, 1.0), min(mean + half, float(worst))


def _friedman(ranks: pd.DataFrame) -> float:
    from scipy.stats import friedmanchisquare

    if min(ranks.shape) < 3:
        return math.nan
    return float(friedmanchisquare(*ranks.to_numpy().T).pvalue)
