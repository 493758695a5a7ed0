"""The main table: how well each proxy ranks the networks, with intervals and a comparison with the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from harness.analysis.joined import join
from harness.analysis.scores import STATUSES, ProxyScores
from harness.analysis.statistics.jackknife import Floats
from harness.analysis.statistics.multiplicity import holm
from harness.analysis.statistics.ranking import Ranking, coefficient_columns, difference_columns, ranking

if TYPE_CHECKING:
    from harness.aggregates import Aggregate
    from harness.contracts.ground_truth import GroundTruth

COLUMNS = (
    "set", "proxy", "networks", "ok", "failed", "non_finite", "skipped", "used", "distinct", "tied_pairs",
    "kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high",
    "difference", "difference_low", "difference_high", "p_value", "p_holm", "verdict", "spearman_difference",
    "kind", "pool",
)  # fmt: skip


def correlation_table(
    scores: pd.DataFrame,
    truth: GroundTruth,
    directions: Mapping[str, Literal["higher", "lower"]],
    *,
    members: Mapping[str, Callable[[str], bool]] | None = None,
    baseline: str = "params",
    aggregates: Iterable[Aggregate] = (),
    beside: Mapping[str, GroundTruth] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How well each proxy ranks the networks by their true accuracy, one row per set and proxy.

    Coefficients are oriented by declaration: the sign of the scores is flipped if lower is better, that of the
    accuracies if ``truth.higher_is_better`` is false. A positive coefficient therefore always means that the proxy
    ranks in the right direction, a negative one that it ranks in the wrong direction.

    The columns of the result:

    * ``set``, ``proxy``: the set and the proxy. Sets are in the given order, proxies sorted by ``kendall``, best first.
    * ``networks``: the number of rows of the proxy in the set; ``ok``, ``failed``, ``non_finite``, ``skipped``: the
      numbers with each status.
    * ``used``: the number of networks with a finite score, from which everything that follows is computed.
    * ``distinct``: the number of distinct scores among these. ``tied_pairs``: the share of pairs of networks with equal
      scores, 0 to 1.
    * ``kendall``, ``kendall_low``, ``kendall_high``: Kendall's τ-b and its confidence bounds.
    * ``spearman``, ``spearman_low``, ``spearman_high``: Spearman's ρ and its confidence bounds.
    * ``difference``, ``difference_low``, ``difference_high``, ``p_value``: τ-b minus the baseline's, on the networks
      where both have a finite score, with paired bounds and two-sided p-value, not corrected for the number of proxies.
    * ``p_holm``: the p-value corrected for all comparisons with the baseline in the set, by
      :func:`~harness.analysis.statistics.multiplicity.holm`.
    * ``verdict``: ``win``, ``tie`` or ``loss`` against the baseline by those uncorrected bounds; ``baseline`` in the
      baseline's row (where the difference columns are NaN), ``no baseline`` if the set has no row of it, ``undefined``
      if the difference is undefined.
    * ``spearman_difference``: ρ minus the baseline's, on the same networks as ``difference``.
    * ``kind``: ``proxy``; ``aggregate``, whose scores are valid only within a pool of networks; ``truth``, another
      accuracy of the trained networks.
    * ``pool``: the number of networks that an aggregate ranks: those of the set for which all its parts are finite; NaN
      in other rows.

    NaN means undefined: fewer than three networks, all scores or all accuracies equal, or no spread to compute an
    interval from; see :class:`~harness.analysis.statistics.correlation.Estimate`.

    Args:
        scores: one row per architecture and proxy, with the columns ``architecture``, ``proxy``, ``status`` (``ok``,
            ``failed``, ``non_finite`` or ``skipped``) and ``value``; others are ignored.
        truth: the true accuracies.
        directions: ``higher`` or ``lower``, whichever is better, for every proxy in the scores.
        members: for each set of architectures, its name and the predicate of membership; one set ``all`` by default.
        baseline: the row that the others are compared with.
        aggregates: rank aggregates; those whose parts were all scored get a row, computed separately in each set.
        beside: other accuracies of the same networks, by the name of their row, treated as if they were proxies.
        confidence: of all intervals; 1 - confidence is the level of the verdicts.

    Raises:
        HarnessError: if an architecture of the scores has no finite accuracy, an architecture and proxy have two
            rows, a column is missing, a status is unknown, or a proxy's direction is not declared.
    """
    joined = join(scores, truth, directions, aggregates=aggregates, beside=beside)
    members = {"all": lambda architecture: True} if members is None else members
    rows: list[dict[str, Any]] = []
    for name, belongs in members.items():
        inside = np.fromiter((belongs(architecture) for architecture in joined.architectures), dtype=bool)
        part = joined.within(inside)
        for row in _rows_of_set(part.rows, part.accuracy, baseline, confidence):
            kind = part.kind(row["proxy"])
            rows.append({"set": name, "kind": kind, "pool": row["used"] if kind == "aggregate" else math.nan} | row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows_of_set(
    proxies: Mapping[str, ProxyScores], accuracy: Floats, baseline: str, confidence: float
) -> list[dict[str, Any]]:
    reference = None
    if baseline in proxies and proxies[baseline].networks > 0:
        reference = ranking(proxies[baseline], proxies[baseline].usable, accuracy)
    rows = []
    for name, proxy in proxies.items():
        own = reference if reference and name == baseline else ranking(proxy, proxy.usable, accuracy, reference)
        row = {"proxy": name} | _counts(proxy) | _coefficients(own, confidence)
        if reference is None:
            row["verdict"] = "no baseline"
        elif name == baseline:
            row["verdict"] = "baseline"
        else:
            row |= difference_columns(own, reference, accuracy, confidence)
        rows.append(row)
    corrected = holm([row.get("p_value", math.nan) for row in rows])
    rows = [row | {"p_holm": p_value} for row, p_value in zip(rows, corrected, strict=True)]
    return sorted(rows, key=lambda row: math.inf if math.isnan(row["kendall"]) else -row["kendall"])


def _counts(proxy: ProxyScores) -> dict[str, Any]:
    return {"networks": proxy.networks} | {status: proxy.count(status) for status in STATUSES}


def _coefficients(own: Ranking, confidence: float) -> dict[str, Any]:
    return {
        "used": len(own.score),
        "distinct": own.score.distinct,
        "tied_pairs": own.score.tied_share,
    } | coefficient_columns(own.coefficients, confidence)
