"""Rank correlations among the best networks only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from harness.analysis.joined import Joined
from harness.analysis.scores import Mask
from harness.analysis.statistics.jackknife import Floats
from harness.analysis.statistics.ranking import coefficient_columns, difference_columns, ranking
from harness.errors import HarnessError

By = Literal["truth", "proxy"]

PERCENTS = (100.0, 50.0, 20.0, 10.0, 5.0)

COLUMNS = [
    "proxy", "by", "percent", "networks",
    "kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high",
    "difference", "difference_low", "difference_high", "p_value", "verdict",
]  # fmt: skip


def top_table(
    joined: Joined,
    percents: Sequence[float] = PERCENTS,
    *,
    by: By = "truth",
    baseline: str = "params",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Kendall's τ-b and Spearman's ρ among the top p % of the networks, one row per proxy and p.

    The top p % of n networks are the ⌈n p / 100⌉ best and all that are tied with the last of these.

    * Selected by ``truth``, the networks are the same for every proxy: those with the highest accuracies among all
      networks, scored or not. The survey of zero-shot NAS does this (Li et al., TPAMI 2024, figures 6 to 9).
    * Selected by ``proxy``, every proxy has its own networks: those that it would choose among the networks with a
      finite score. Coefficients of two proxies then come from different networks and are not compared.

    The columns of the result:

    * ``proxy``, ``by``, ``percent``; ``networks``: the number of selected networks with a finite score, from which the
      rest is computed.
    * ``kendall``, ``spearman`` with the bounds ``…_low`` and ``…_high``: positive if the proxy ranks in the right
      direction.
    * ``difference``, ``difference_low``, ``difference_high``, ``p_value``, ``verdict``: τ-b minus the baseline's on the
      networks where both have a score, as in :func:`~harness.analysis.correlations.correlation_table`; ``not compared``
      if the selection is by proxy.

    Intervals treat the selection as fixed. Rows are sorted by τ over the largest share, best first.

    Args:
        joined: scores and accuracies.
        percents: the shares p.
        by: what selects: ``truth`` or ``proxy``.
        baseline: the row that the others are compared with.
        confidence: of the intervals.

    Raises:
        HarnessError: for a share outside (0, 100], or no shares.
    """
    shares = sorted(set(percents), reverse=True)
    wrong = [share for share in shares if not 0 < share <= 100]
    if wrong or not shares:
        raise HarnessError(f"the share {wrong[0] if wrong else 'none'} % is not valid; use shares above 0, up to 100")
    rows = []
    for share in shares:
        cut = top_share(joined.accuracy, share)
        base = joined.rows.get(baseline) if by == "truth" else None
        reference = None if base is None else ranking(base, base.usable & cut, joined.accuracy)
        for name, scores in joined.rows.items():
            used = scores.usable & cut if by == "truth" else _top_by(scores.value, share)
            own = ranking(scores, used, joined.accuracy, reference)
            row = {"proxy": name, "by": by, "percent": share, "networks": len(own.truth)}
            row |= coefficient_columns(own.coefficients, confidence)
            if reference is None:
                row["verdict"] = "not compared" if by == "proxy" else "no baseline"
            elif name == baseline:
                row["verdict"] = "baseline"
            else:
                row |= difference_columns(own, reference, joined.accuracy, confidence)
            rows.append(row)
    return _sorted(pd.DataFrame(rows, columns=COLUMNS), shares[0])


def top_share(values: Floats, percent: float) -> Mask:
    """Mask of the ⌈n p / 100⌉ highest of n values, and of those tied with the last of these.

    >>> top_share(np.array([3.0, 1.0, 2.0, 2.0]), 50).tolist()
    [True, False, True, True]
    """
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    cut = np.partition(values, len(values) - share_size(len(values), percent))[-share_size(len(values), percent)]
    inside: Mask = values >= cut
    return inside


def share_size(networks: int, percent: float) -> int:
    """The number of networks in p %: rounded up, at least one.

    >>> share_size(1000, 5), share_size(9445, 10), share_size(12, 0.1)
    (50, 945, 1)
    """
    # In floating point, 0.07 × 100 is slightly more than 7.
    return max(1, math.ceil(networks * percent / 100 - 1e-9))


def _top_by(scores: Floats, percent: float) -> Mask:
    usable = np.isfinite(scores)
    inside = np.zeros(len(scores), dtype=bool)
    inside[usable] = top_share(scores[usable], percent)
    return inside


def _sorted(table: pd.DataFrame, largest: float) -> pd.DataFrame:
    """Sort proxies by τ over the largest share, and each proxy's shares from large to small."""
    first = table[table["percent"] == largest].set_index("proxy")["kendall"]
    place = table["proxy"].map(first.rank(ascending=False, method="first", na_option="bottom"))
    return (
        table.assign(place=place)
        .sort_values(["place", "percent"], ascending=[True, False])
        .drop(columns="place")
        .reset_index(drop=True)
    )
