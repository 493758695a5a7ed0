"""Agreement of scores with those of an independent source."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

COLUMNS = ["proxy", "networks", "spearman", "spearman_low", "spearman_high", "kendall"]


def rank_agreement(scores: pd.DataFrame, published: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Rank correlation between two sources of the same proxies' scores, best agreement first.

    The columns of the result: ``proxy``; ``networks``, the number with a finite score in both sources; ``spearman``
    with the bounds ``spearman_low`` and ``spearman_high``; ``kendall`` (τ-b). Signs are those of the sources. NaN as in
    :class:`~harness.analysis.statistics.correlation.Estimate`. Sentinels such as -1e8 count as numbers: replace them by
    NaN first.

    Args:
        scores: one row per architecture (the index), one column per proxy.
        published: the same from the other source. Architectures and proxies in only one source are left out.
        confidence: of the intervals.

    Raises:
        HarnessError: if the sources share no proxy or no architecture, or one contains an architecture twice.
    """
    for frame, name in ((scores, "first"), (published, "second")):
        if not frame.index.is_unique:
            twice = frame.index[frame.index.duplicated()][0]
            raise HarnessError(
                f"the {name} source of scores contains the architecture '{twice}' twice; it needs one row each"
            )
    proxies = [proxy for proxy in scores.columns if proxy in published.columns]
    architectures = scores.index.intersection(published.index)
    for shared, what, ours, theirs in (
        (proxies, "proxy", scores.columns, published.columns),
        (architectures, "architecture", scores.index, published.index),
    ):
        if len(shared) == 0:
            raise HarnessError(
                f"the two sources of scores have no {what} in common: one has {_examples(ours)}, the other "
                f"{_examples(theirs)}; use the same names"
            )
    rows = []
    for proxy in proxies:
        ours = scores.loc[architectures, proxy].to_numpy(dtype=np.float64)
        theirs = published.loc[architectures, proxy].to_numpy(dtype=np.float64)
        both = np.isfinite(ours) & np.isfinite(theirs)
        kendall, spearman = (estimate(c, confidence) for c in jackknife(rank(ours[both]), rank(theirs[both])))
        rows.append((proxy, int(both.sum()), spearman.value, spearman.low, spearman.high, kendall.value))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("spearman", ascending=False, kind="stable", ignore_index=True)


def _examples(names: pd.Index) -> str:
    return ", ".join(f"'{name}'" for name in names[:3]) + ("…" if len(names) > 3 else "") or "none"
