"""Does any proxy beat #Params, anywhere? Comparisons in several runs, corrected together, and ranks across spaces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from harness.analysis.mean_ranks import LEVEL, MeanRanks, mean_ranks
from harness.analysis.statistics.multiplicity import holm
from harness.errors import HarnessError

VERDICTS = ("better", "no different", "worse")

COLUMNS = [
    "proxy", "run", "space", "used", "kendall", "kendall_low", "kendall_high", "difference", "difference_low",
    "difference_high", "p_value", "p_holm", "verdict",
]  # fmt: skip


@dataclass(frozen=True)
class Anywhere:
    """Every comparison, and what they say of each proxy.

    Attributes:
        comparisons: one row per proxy and run, with the columns :data:`COLUMNS`; ``p_holm`` is corrected for all rows
            together, and ``verdict`` is one of :data:`VERDICTS` by it, ``baseline``, or ``undefined``.
        proxies: one row per proxy, in the order of :func:`harness.analysis.mean_ranks.mean_ranks`: ``proxy``;
            ``runs`` with a comparison; ``better``, ``no different`` and ``worse``, the numbers of these verdicts;
            ``spaces``, and in how many of them it is better in a run, ``spaces_better``; ``mean_difference`` over
            spaces; and the columns of :func:`~harness.analysis.mean_ranks.mean_ranks`.
        ranking: the mean ranks, and what they can show.
    """

    comparisons: pd.DataFrame = field(repr=False)
    proxies: pd.DataFrame = field(repr=False)
    ranking: MeanRanks


def anywhere_table(
    tables: Mapping[str, pd.DataFrame], spaces: Mapping[str, str], subset: str = "all", baseline: str = "params"
) -> Anywhere:
    """Compare every proxy with the baseline in every run, all comparisons corrected together.

    Ranks are those of Kendall τ, see :func:`harness.analysis.mean_ranks.mean_ranks`.

    Args:
        tables: the correlation table of each run, by the name of the run.
        spaces: the benchmark of each run.
        subset: the set of architectures.
        baseline: the row that the differences in the tables are from.

    Raises:
        HarnessError: if no run is given, or one lacks the set or the baseline.
    """
    parts = []
    for run, table in tables.items():
        rows = table[table["set"] == subset]
        if rows.empty:
            raise HarnessError(f"{run} has no set of architectures '{subset}'; choose one that all runs have")
        if baseline not in set(rows["proxy"]):
            raise HarnessError(f"{run} has no scores of '{baseline}', which the others are compared with")
        parts.append(rows.assign(run=run, space=spaces[run]))
    if not parts:
        raise HarnessError("no run was given; give runs of one or more benchmarks")
    joined = pd.concat(parts, ignore_index=True)
    others = joined["proxy"] != baseline
    joined["p_holm"] = np.nan
    joined.loc[others, "p_holm"] = holm(joined.loc[others, "p_value"].to_numpy(dtype=float))
    joined["verdict"] = [_verdict(row, baseline) for row in joined.to_dict("records")]
    ranking = mean_ranks(joined)
    return Anywhere(joined[COLUMNS], _of_each(joined, ranking, baseline), ranking)


def _verdict(row: Mapping[object, object], baseline: str) -> str:
    p, difference = float(row["p_holm"]), float(row["difference"])  # type: ignore[arg-type]
    if row["proxy"] == baseline:
        return "baseline"
    if math.isnan(p):
        # Two rankings that agree in every pair have no variance to test, and no difference.
        return "no different" if difference == 0 else "undefined"
    if p >= LEVEL:
        return "no different"
    return "better" if difference > 0 else "worse"


def _of_each(joined: pd.DataFrame, ranking: MeanRanks, baseline: str) -> pd.DataFrame:
    rows = []
    for proxy, own in joined.groupby("proxy", sort=False):
        compared = own[own["verdict"].isin(VERDICTS)]
        rows.append(
            {
                "proxy": proxy,
                "runs": len(own) if proxy == baseline else len(compared),
                **{verdict: int((own["verdict"] == verdict).sum()) for verdict in VERDICTS},
                "spaces": own["space"].nunique(),
                "spaces_better": own.loc[own["verdict"] == "better", "space"].nunique(),
                "mean_difference": compared.groupby("space")["difference"].mean().mean(),
            }
        )
    return ranking.proxies[["proxy"]].merge(pd.DataFrame(rows), on="proxy").merge(ranking.proxies, on="proxy")
