"""Stability: how much a proxy's ranking depends on seeds, mini-batches and batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis.statistics.correlation import kendall
from harness.errors import HarnessError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from harness.analysis.joined import Joined

COLUMNS = [
    "proxy", "runs", "networks", "between", "between_lowest", "between_highest",
    "kendall", "kendall_lowest", "kendall_highest", "kendall_deviation", "kendall_of_mean_rank",
]  # fmt: skip


def stability_table(runs: Sequence[Joined]) -> pd.DataFrame:
    """Agreement of the rankings of several runs with each other and with the accuracies, most stable first.

    The columns of the result:

    * ``proxy``; ``runs``: the number of runs that scored it; ``networks``: the number with a finite score in all of
      these runs, from which everything else is computed.
    * ``between``: Kendall's τ-b between two runs, averaged over all pairs of runs; ``between_lowest`` and
      ``between_highest``: over the pairs. 1 for proxies without randomness.
    * ``kendall``: τ-b with the accuracies, the mean over runs; ``kendall_lowest``, ``kendall_highest``; and
      ``kendall_deviation``, the standard deviation between runs (n - 1).
    * ``kendall_of_mean_rank``: τ-b of the mean rank over the runs with the accuracies, which shows the effect of
      averaging over seeds.

    NaN if a coefficient is undefined. Proxies scored by fewer than two runs are left out.

    Args:
        runs: of the same benchmark and data set, with the same ground truth; networks that are not in all of them are
            left out.

    Raises:
        HarnessError: if there are fewer than two runs, or no two of them share a proxy on common networks.
    """
    if len(runs) < 2:
        raise HarnessError(f"stability needs two or more runs that differ in their seed, not {len(runs)}")
    tables = [run.table(run.proxies) for run in runs]
    accuracy = pd.concat([pd.Series(run.accuracy, index=run.architectures) for run in runs])
    accuracy = accuracy[~accuracy.index.duplicated()]
    names = sorted({name for table in tables for name in table.columns})
    rows = [row for name in names if (row := _row(name, tables, accuracy)) is not None]
    if not rows:
        raise HarnessError("no two of the runs share a proxy on common networks; use runs of the same sample")
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("between", ascending=False, kind="stable", na_position="last", ignore_index=True)


def _row(name: str, tables: Sequence[pd.DataFrame], accuracy: pd.Series[float]) -> Mapping[str, object] | None:
    scored = [table[name].dropna() for table in tables if name in table.columns]
    if len(scored) < 2:
        return None
    together = pd.concat(scored, axis=1, join="inner")
    if together.empty:
        return None
    truth = accuracy.reindex(together.index).to_numpy(dtype=np.float64)
    values = together.to_numpy(dtype=np.float64).T
    between = [_tau(first, second) for first, second in combinations(values, 2)]
    with_truth = [_tau(value, truth) for value in values]
    return {
        "proxy": name,
        "runs": len(scored),
        "networks": len(together),
        **_summary("between", between),
        **_summary("kendall", with_truth),
        "kendall_deviation": float(np.std(with_truth, ddof=1)),
        "kendall_of_mean_rank": _tau(together.rank().mean(axis=1).to_numpy(dtype=np.float64), truth),
    }


def _summary(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: float(np.mean(values)), f"{name}_lowest": min(values), f"{name}_highest": max(values)}


def _tau(first: ArrayLike, second: ArrayLike) -> float:
    return kendall(first, second).value
