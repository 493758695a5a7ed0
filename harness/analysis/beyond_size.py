"""How well a proxy ranks beyond another quantity, such as size: among networks equal in it, and controlling for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness._utils.names import listed
from harness.analysis.joined import Joined
from harness.analysis.scores import Mask
from harness.analysis.statistics.concordance import concordance
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import FEWEST_NETWORKS, Floats, Jackknife, jackknife
from harness.analysis.statistics.ranks import Integers, Ranks, rank
from harness.errors import HarnessError

MOST_EXACT = 100
"""With more distinct values than this, strata are bins instead of single values."""

BINS = 20

COLUMNS = [
    "proxy", "networks", "kendall", "kendall_low", "kendall_high",
    "within", "within_low", "within_high",
    "partial_kendall", "partial_kendall_low", "partial_kendall_high",
    "partial_spearman", "partial_spearman_low", "partial_spearman_high",
    "strata", "pairs",
]  # fmt: skip


def beyond_table(
    joined: Joined, given: str = "params", *, bins: int | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """How well each proxy ranks networks beyond ``given``, sorted by τ-b within strata, largest first.

    The columns of the result:

    * ``proxy``; ``networks``: the number with a finite score of the proxy and of ``given``.
    * ``kendall``: τ-b with the accuracies on these; ``within``: τ-b inside strata of equal ``given`` (see
      :func:`kendall_within`); ``partial_kendall`` and ``partial_spearman`` (see :func:`partial`); each with bounds
      ``…_low`` and ``…_high``.
    * ``strata``: the number of strata; ``pairs``: the share of all pairs of networks that lie within a stratum.

    There is no row for ``given`` itself, which is constant within strata.

    Args:
        joined: scores and accuracies.
        given: the row to control for.
        bins: the number of bins; None for one stratum per value of ``given`` if it has at most ``MOST_EXACT`` distinct
            values, else ``BINS`` bins.
        confidence: of the intervals.

    Raises:
        HarnessError: if ``given`` was not scored.
    """
    if given not in joined.rows:
        raise HarnessError(f"no scores of '{given}' to control for; there are scores of {listed(joined.rows)}")
    control = joined.rows[given]
    rows = []
    held: _Held | None = None
    for name, scores in joined.rows.items():
        if name == given:
            continue
        used = scores.usable & control.usable
        if held is None or not np.array_equal(used, held.used):
            held = _hold(control.value, joined.accuracy, used, bins)
        rows.append({"proxy": name, **_beyond(rank(scores.value[used]), held, confidence)})
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("within", ascending=False, kind="stable", na_position="last", ignore_index=True)


@dataclass(frozen=True)
class _Held:
    """The part that does not depend on the proxy: ranks of accuracy and control on the networks used."""

    used: Mask
    truth: Ranks
    control: Ranks
    strata: Integers
    pair: tuple[Jackknife, Jackknife]


def _hold(control: Floats, accuracy: Floats, used: Mask, bins: int | None) -> _Held:
    y, z = rank(accuracy[used]), rank(control[used])
    return _Held(used, y, z, strata_of(z, bins), jackknife(y, z))


def _beyond(x: Ranks, held: _Held, confidence: float) -> dict[str, Any]:
    xy, xz = jackknife(x, held.truth), jackknife(x, held.control)
    coefficients = {
        "kendall": xy[0],
        "within": kendall_within(x, held.truth, held.strata),
        "partial_kendall": partial(xy[0], xz[0], held.pair[0]),
        "partial_spearman": partial(xy[1], xz[1], held.pair[1]),
    }
    row: dict[str, Any] = {"networks": len(x)}
    for name, coefficient in coefficients.items():
        row |= estimate(coefficient, confidence).columns(name)
    sizes = np.bincount(held.strata)
    everything = len(x) * (len(x) - 1)
    pairs = float((sizes * (sizes - 1)).sum() / everything) if everything else float("nan")
    return row | {"strata": int(np.count_nonzero(sizes)), "pairs": pairs}


def strata_of(control: Ranks, bins: int | None = None) -> Integers:
    """The number of each network's stratum, in ascending order of the control, (n,).

    If there are at most ``MOST_EXACT`` distinct values and ``bins`` is None, each value is a stratum. Otherwise
    networks are divided into bins of nearly equal size, and equal values stay together.

    >>> strata_of(rank([5, 1, 5, 2])).tolist(), strata_of(rank([5, 1, 5, 2]), 2).tolist()
    ([2, 0, 2, 1], [1, 0, 1, 0])
    """
    if bins is not None and bins < 1:
        raise HarnessError(f"the number of bins is {bins}; it must be 1 or more")
    if exact_strata(control, bins):
        starts = np.unique(control.start)
        return np.searchsorted(starts, control.start).astype(np.int64)
    return control.start * (BINS if bins is None else bins) // max(len(control), 1)


def exact_strata(control: Ranks, bins: int | None = None) -> bool:
    """Whether strata are single values rather than bins."""
    return bins is None and control.distinct <= MOST_EXACT


def kendall_within(x: Ranks, y: Ranks, strata: Integers) -> Jackknife:
    r"""Kendall's τ-b over pairs within strata only.

    .. math:: \frac{\sum_g S_g}{\sqrt{\sum_g (P_g - P_{g,x}) \sum_g (P_g - P_{g,y})}}

    where for stratum g, :math:`S_g` is the number of concordant minus discordant pairs, :math:`P_g` the number of all
    pairs and :math:`P_{g,x}, P_{g,y}` the numbers of tied pairs. With one stratum it equals τ-b. The values with one
    network left out follow from the same pass, O(n log n).

    Args:
        x: ranks of the scores.
        y: ranks of the accuracies.
        strata: the number of each network's stratum, from 0, (n,).
    """
    n = len(x)
    if n < FEWEST_NETWORKS:
        return Jackknife(float("nan"), np.full(n, np.nan))
    # If both are ranked by stratum first, every pair from different strata is concordant and untied.
    x_inside, y_inside = (rank(strata * n + side.start) for side in (x, y))
    size = np.bincount(strata)[strata]
    c = concordance(x_inside, y_inside) - (n - size)
    untied_x, untied_y = size - x_inside.ties, size - y_inside.ties
    return _ratio(c, untied_x, untied_y)


def _ratio(c: Integers, untied_x: Integers, untied_y: Integers) -> Jackknife:
    """τ-b from each network's concordance and its numbers of untied partners; every pair counts twice."""
    sums = [int(part.sum()) // 2 for part in (c, untied_x, untied_y)]
    agreement, a, b = (
        np.append(total - part, total).astype(np.float64)
        for total, part in zip(sums, (c, untied_x, untied_y), strict=True)
    )
    scale = np.sqrt(a * b)
    values = np.divide(agreement, scale, out=np.full_like(agreement, np.nan), where=scale > 0)
    return Jackknife(float(values[-1]), values[:-1])


def partial(xy: Jackknife, xz: Jackknife, yz: Jackknife) -> Jackknife:
    r"""The partial coefficient of x and y given z, and with each network left out.

    .. math:: \frac{r_{xy} - r_{xz} r_{yz}}{\sqrt{(1 - r_{xz}^2)(1 - r_{yz}^2)}}

    For Spearman's ρ this is the partial correlation of the ranks, for τ-b Kendall's partial τ (Kendall, "Partial rank
    correlation", Biometrika 1942). Neither is necessarily 0 if x and y are independent given z (Korn, The American
    Statistician 1984): if x is z plus noise and all are about normal, partial ρ is close to 0, but partial τ is clearly
    positive. NaN if z has the same order as x or y.
    """
    values = _partial(*(np.append(part.left_out, part.value) for part in (xy, xz, yz)))
    return Jackknife(float(values[-1]), values[:-1])


def _partial(xy: Floats, xz: Floats, yz: Floats) -> NDArray[np.float64]:
    rest = (1 - xz**2) * (1 - yz**2)
    # Within rounding of 1, nothing is left to correlate.
    return np.divide(xy - xz * yz, np.sqrt(np.maximum(rest, 0)), out=np.full_like(xy, np.nan), where=rest > 1e-12)
