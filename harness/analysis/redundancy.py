"""Redundancy of proxies: the agreement between all of them, and what each adds to its nearest other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.beyond_size import partial
from harness.analysis.joined import Joined
from harness.analysis.scores import Mask
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import Jackknife, jackknife
from harness.analysis.statistics.ranks import Ranks, rank
from harness.errors import HarnessError
from harness.seeds import derive_seed

MOST_NETWORKS = 20_000
"""Maximum number of networks for the agreement between all pairs; τ of a pair is then precise to about 0.01 at 95 %."""

COLUMNS = [
    "proxy", "networks", "kendall", "kendall_low", "kendall_high",
    "nearest", "agreement", "nearest_kendall",
    "partial_kendall", "partial_kendall_low", "partial_kendall_high",
    "partial_spearman", "partial_spearman_low", "partial_spearman_high",
]  # fmt: skip


def agreement_matrix(joined: Joined, most: int = MOST_NETWORKS) -> pd.DataFrame:
    """Kendall's τ-b between the scores of every two proxies, on the networks where both are finite.

    Rows and columns are in the order of :func:`clustered`. NaN if a coefficient is undefined.

    Args:
        joined: scores and accuracies.
        most: with more networks than this, a random sample of this size is used, always the same.

    Raises:
        HarnessError: if there are fewer than two proxies.
    """
    if len(joined.rows) < 2:
        raise HarnessError("only one proxy was scored; agreement needs two or more")
    if len(joined) > most:
        random = np.random.default_rng(derive_seed("agreement", len(joined)))
        chosen = np.zeros(len(joined), dtype=bool)
        chosen[random.permutation(len(joined))[:most]] = True
        values = {name: scores.value[chosen] for name, scores in joined.rows.items()}
    else:
        values = {name: scores.value for name, scores in joined.rows.items()}
    names = list(values)
    usable = {name: np.isfinite(value) for name, value in values.items()}
    whole = {name: rank(value[usable[name]]) for name, value in values.items()}
    matrix = pd.DataFrame(np.nan, index=names, columns=names)
    for i, first in enumerate(names):
        for second in names[i:]:
            if np.array_equal(usable[first], usable[second]):
                tau, _ = jackknife(whole[first], whole[second])
            else:
                both = usable[first] & usable[second]
                tau, _ = jackknife(rank(values[first][both]), rank(values[second][both]))
            matrix.loc[first, second] = matrix.loc[second, first] = tau.value
    order = clustered(matrix)
    return matrix.loc[order, order]


def clustered(matrix: pd.DataFrame) -> list[str]:
    """The names in leaf order of an average-linkage clustering by 1 - |τ|, so that similar proxies are adjacent.

    A pair without a coefficient has the maximum distance 1.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(matrix) < 3:
        return list(matrix.index)
    distance = (1 - matrix.abs()).fillna(1.0).to_numpy(copy=True).clip(min=0)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    return [str(matrix.index[int(leaf)]) for leaf in leaves_list(tree)]


def redundancy_table(joined: Joined, agreement: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Each proxy's nearest other and what the proxy adds to it, largest partial ρ first.

    The columns of the result:

    * ``proxy``; ``networks``: the number with a finite score of it and of the nearest, from which the rest is computed;
      ``kendall``: its τ-b with the accuracies.
    * ``nearest``: the other proxy with the largest ``|τ|`` between the two; ``agreement``: that τ with its sign;
      ``nearest_kendall``: the nearest's τ-b with the accuracies.
    * ``partial_kendall`` and ``partial_spearman``, of the proxy with the accuracies given the nearest, with bounds (see
      :func:`~harness.analysis.beyond_size.partial`). A noisy copy of the nearest has a partial ρ near 0 but a positive
      partial τ, so rows are sorted by partial ρ.

    Args:
        joined: scores and accuracies.
        agreement: from :func:`agreement_matrix`.
        confidence: of the intervals.
    """
    nearest = _nearest(agreement)
    known: list[_WithTruth] = []
    rows = []
    for name, scores in joined.rows.items():
        other = nearest.get(name)
        used = scores.usable & joined.rows[other].usable if other else scores.usable
        x = _with_truth(joined, name, used, known)
        row: dict[str, Any] = {"proxy": name, "networks": len(x.ranks), "nearest": other}
        row |= estimate(x.pair[0], confidence).columns("kendall")
        if other is not None:
            z = _with_truth(joined, other, used, known)
            between = jackknife(x.ranks, z.ranks)
            row |= {"agreement": between[0].value, "nearest_kendall": z.pair[0].value}
            for which, kind in enumerate(("partial_kendall", "partial_spearman")):
                coefficient = partial(x.pair[which], between[which], z.pair[which])
                row |= estimate(coefficient, confidence).columns(kind)
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("partial_spearman", ascending=False, kind="stable", na_position="last", ignore_index=True)


@dataclass(frozen=True)
class _WithTruth:
    """A proxy's coefficients with the accuracies on some networks, and its ranks there."""

    name: str
    used: Mask
    ranks: Ranks
    pair: tuple[Jackknife, Jackknife]


def _with_truth(joined: Joined, name: str, used: Mask, known: list[_WithTruth]) -> _WithTruth:
    """The known entry if there is one, because a proxy can be the nearest of several."""
    for one in known:
        if one.name == name and np.array_equal(one.used, used):
            return one
    ranks = rank(joined.rows[name].value[used])
    known.append(_WithTruth(name, used, ranks, jackknife(ranks, rank(joined.accuracy[used]))))
    return known[-1]


def _nearest(agreement: pd.DataFrame) -> dict[str, str]:
    sizes = agreement.abs().to_numpy(copy=True)
    np.fill_diagonal(sizes, np.nan)
    return {
        str(name): str(agreement.columns[int(np.nanargmax(row))])
        for name, row in zip(agreement.index, sizes, strict=True)
        if np.isfinite(row).any()
    }
