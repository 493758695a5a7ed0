"""Does any proxy beat #Params, anywhere? Comparisons in several runs, corrected together, and ranks across spaces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from harness.analysis.statistics.multiplicity import holm
from harness.errors import HarnessError

LEVEL = 0.05
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
        proxies: one row per proxy, best mean rank first, then by the mean τ: ``proxy``; ``runs`` with a comparison;
            ``better``, ``no different`` and ``worse``, the numbers of these verdicts; ``spaces``, and in how many of
            them it is better in a run, ``spaces_better``; ``mean_difference`` over spaces;
            ``mean_rank`` over spaces, among the proxies with a coefficient in every run, NaN for others.
        spaces: the number of spaces.
        ranked: the number of proxies with a mean rank.
        critical_difference: two mean ranks that differ by less are not shown to differ, see
            :func:`critical_difference`; NaN with fewer than two spaces or proxies.
        friedman_p: the p-value of Friedman's test that all ranked proxies rank alike; NaN with fewer than three of
            either.
    """

    comparisons: pd.DataFrame = field(repr=False)
    proxies: pd.DataFrame = field(repr=False)
    spaces: int
    ranked: int
    critical_difference: float
    friedman_p: float


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


def anywhere_table(
    tables: Mapping[str, pd.DataFrame], spaces: Mapping[str, str], subset: str = "all", baseline: str = "params"
) -> Anywhere:
    """Compare every proxy with the baseline in every run, all comparisons corrected together.

    Ranks are those of Kendall τ among the proxies that every run has. Runs of one benchmark are not independent, so
    they count as one space, with the mean of their ranks.

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
    ranks = _ranks(joined, len(tables))
    proxies = _of_each(joined, ranks, baseline)
    number = ranks.shape[1]
    return Anywhere(
        joined[COLUMNS],
        proxies,
        len({spaces[run] for run in tables}),
        number,
        critical_difference(number, len(ranks)),
        _friedman(ranks),
    )


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


def _ranks(joined: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Mean ranks by space and proxy, of the proxies with a coefficient in every run."""
    wide = joined.pivot(index="run", columns="proxy", values="kendall").dropna(axis=1)
    ranks = wide.rank(axis=1, ascending=False)
    spaces = joined.drop_duplicates("run").set_index("run")["space"]
    return ranks.groupby(spaces).mean() if len(wide) == runs else ranks.iloc[:0]


def _of_each(joined: pd.DataFrame, ranks: pd.DataFrame, baseline: str) -> pd.DataFrame:
    mean_rank = ranks.mean()
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
                "mean_rank": mean_rank.get(proxy, math.nan),
                "_tau": own.groupby("space")["kendall"].mean().mean(),
            }
        )
    table = pd.DataFrame(rows).sort_values(["mean_rank", "_tau"], ascending=[True, False], kind="stable")
    return table.drop(columns="_tau").reset_index(drop=True)


def _friedman(ranks: pd.DataFrame) -> float:
    from scipy.stats import friedmanchisquare

    if min(ranks.shape) < 3:
        return math.nan
    return float(friedmanchisquare(*ranks.to_numpy().T).pvalue)
