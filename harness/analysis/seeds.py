"""The coefficients of several seeds: do the seeds agree, and what is the mean over them?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.analysis.statistics.comparison import difference_test, verdict_of
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.multiplicity import holm
from harness.analysis.statistics.over_seeds import mean_over_seeds
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.analysis.joined import Joined

TRUSTED_AGREEMENT = 0.8
"""Below this Kendall τ between seeds, tables mark a coefficient: it says as much about the seed as about the proxy."""

COLUMNS = (
    "proxy", "kind", "seeds", "networks", "agreement", "agreement_lowest",
    "kendall", "kendall_low", "kendall_high", "kendall_lowest", "kendall_highest",
    "difference", "difference_low", "difference_high", "p_value", "p_holm", "verdict",
)  # fmt: skip


def seed_table(seeds: Sequence[Joined], *, baseline: str = "params", confidence: float = 0.95) -> pd.DataFrame:
    """How well each proxy ranks the networks in the mean over seeds, with intervals that include the seed.

    Everything is computed from the networks that all seeds scored. The columns of the result, best mean first:

    * ``proxy``, ``kind``: as in :func:`~harness.analysis.correlation_table`; ``seeds``: the number of seeds that scored
      it, at least two; ``networks``: the number with a finite score of all of them.
    * ``agreement``: Kendall's τ-b between the scores of two seeds, the mean over all pairs of seeds, and
      ``agreement_lowest``, of the two that agree least. 1 for a proxy without randomness.
    * ``kendall``, ``kendall_low``, ``kendall_high``: τ-b with the accuracies, the mean over seeds, with confidence
      bounds for other networks and other seeds, see :mod:`harness.analysis.statistics.over_seeds`;
      ``kendall_lowest``, ``kendall_highest``: of a single seed.
    * ``difference``, ``difference_low``, ``difference_high``, ``p_value``, ``p_holm``, ``verdict``: the mean of τ-b
      minus the baseline's of the same seed, as in :func:`~harness.analysis.correlation_table`.

    NaN if a coefficient is undefined. Rows that fewer than two seeds scored are left out.

    Args:
        seeds: one run per seed, equal in everything else, with the same ground truth; two or more.
        baseline: the row that the others are compared with.
        confidence: of all intervals; 1 - confidence is the level of the verdicts.

    Raises:
        HarnessError: if there are fewer than two, or no two of them share a proxy on common networks.
    """
    if len(seeds) < 2:
        raise HarnessError(f"a mean over seeds needs two or more of them, not {len(seeds)}")
    common = seeds[0].architectures
    for seed in seeds[1:]:
        common = common[common.isin(seed.architectures)]
    ranked = [_Seed.of(seed, common) for seed in seeds]
    kinds = {name: joined.kind(name) for joined in seeds for name in joined.rows}
    rows = [{"kind": kind} | row for name, kind in kinds.items() if (row := _row(name, ranked, baseline, confidence))]
    if not rows:
        raise HarnessError("no two of the seeds share a proxy on common networks; use runs of the same sample")
    for row, corrected in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_holm"] = corrected
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        "kendall", ascending=False, kind="stable", na_position="last", ignore_index=True
    )


@dataclass(frozen=True)
class _Seed:
    """The scores of one seed and the accuracies, of the networks that all seeds have; the latter in that order."""

    scores: Mapping[str, Floats]
    accuracy: Floats

    @classmethod
    def of(cls, joined: Joined, common: pd.Index) -> _Seed:
        inside = joined.within(joined.architectures.isin(common))
        order = inside.architectures.get_indexer(common)
        return cls({name: row.value[order] for name, row in inside.rows.items()}, inside.accuracy[order])


def _row(name: str, seeds: Sequence[_Seed], baseline: str, confidence: float) -> dict[str, Any] | None:
    scored = [seed for seed in seeds if name in seed.scores and np.isfinite(seed.scores[name]).any()]
    if len(scored) < 2:
        return None
    used = np.logical_and.reduce([np.isfinite(seed.scores[name]) for seed in scored])
    if not used.any():
        return None
    truth = rank(scored[0].accuracy[used])
    ranks = [rank(seed.scores[name][used]) for seed in scored]
    coefficients = [jackknife(each, truth)[0] for each in ranks]
    values = [each.value for each in coefficients]
    agreements = [jackknife(first, second)[0].value for first, second in combinations(ranks, 2)]
    return {
        "proxy": name,
        "seeds": len(scored),
        "networks": len(truth),
        "agreement": float(np.mean(agreements)),
        "agreement_lowest": float(np.min(agreements)),
        **estimate(mean_over_seeds(coefficients), confidence).columns("kendall"),
        "kendall_lowest": float(np.min(values)),
        "kendall_highest": float(np.max(values)),
        **_difference(name, scored, baseline, confidence),
    }


def _difference(name: str, scored: Sequence[_Seed], baseline: str, confidence: float) -> dict[str, Any]:
    """The mean difference to the baseline on the networks that both have a finite score for in all seeds."""
    pairs = [(seed.scores[name], seed.scores[baseline], seed.accuracy) for seed in scored if baseline in seed.scores]
    if name == baseline:
        return {"verdict": "baseline", "p_value": math.nan}
    if len(pairs) < 2:
        return {"verdict": "no baseline", "p_value": math.nan}
    used = np.logical_and.reduce([np.isfinite(own) & np.isfinite(other) for own, other, _ in pairs])
    truth = rank(pairs[0][2][used])

    def kendall(scores: Floats) -> Jackknife:
        return jackknife(rank(scores[used]), truth)[0]

    found = difference_test(mean_over_seeds([kendall(own) - kendall(other) for own, other, _ in pairs]), confidence)
    return {
        "difference": found.value,
        "difference_low": found.low,
        "difference_high": found.high,
        "p_value": found.p_value,
        "verdict": verdict_of(found.low, found.high),
    }
