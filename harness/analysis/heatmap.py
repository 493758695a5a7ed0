"""The coefficients of several runs side by side, to show which proxies rank well everywhere."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from harness.errors import HarnessError

COLUMNS = [
    "proxy", "mean_rank", "run", "rank", "kendall", "kendall_low", "kendall_high", "spearman",
    "difference", "difference_low", "difference_high", "p_value", "verdict", "used", "networks",
]  # fmt: skip


def across_table(tables: Mapping[str, pd.DataFrame], subset: str = "all") -> pd.DataFrame:
    r"""Every proxy in every run: one row per proxy and run, best mean rank first.

    The columns of the result are those of :func:`harness.analysis.correlation_table` and:

    * ``run``: the run's name.
    * ``rank``: the rank by Kendall τ among the proxies with a coefficient in all runs, 1 for the best; equal
      coefficients share the mean of their ranks.
    * ``mean_rank``: the mean rank over the runs.

    Only proxies common to all runs are ranked, because ranks among different numbers of proxies are not comparable. For
    the others both are NaN; they follow in the order of their mean τ.

    Args:
        tables: the correlation table of each run, by the name of the run.
        subset: the set of architectures.

    Raises:
        HarnessError: if a run has no such set.
    """
    parts = []
    for run, table in tables.items():
        rows = table[table["set"] == subset]
        if rows.empty:
            sets = ", ".join(dict.fromkeys(table["set"]))
            raise HarnessError(f"{run} has no set of architectures '{subset}'; it has {sets}")
        parts.append(rows.assign(run=run))
    joined = pd.concat(parts, ignore_index=True)
    defined = joined.dropna(subset="kendall").groupby("proxy")["run"].nunique()
    common = joined["proxy"].isin(defined.index[defined == len(tables)])
    joined["rank"] = joined[common].groupby("run")["kendall"].rank(ascending=False)
    by_proxy = joined.groupby("proxy")
    joined["mean_rank"] = by_proxy["rank"].transform("mean").where(common)
    joined["mean"] = by_proxy["kendall"].transform("mean")
    joined["place"] = joined["run"].map({run: place for place, run in enumerate(tables)})
    joined = joined.sort_values(
        ["mean_rank", "mean", "proxy", "place"], ascending=[True, False, True, True], kind="stable", ignore_index=True
    )
    return joined[COLUMNS]
