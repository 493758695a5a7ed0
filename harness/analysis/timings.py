"""The cost of each proxy, in milliseconds and in forward and backward passes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.scores import require_columns

COLUMNS = ["proxy", "networks", "own_ms", "standalone_ms", "own_ratio", "standalone_ratio"]
SECONDS = ("own_seconds", "standalone_seconds", "forward_backward_seconds")


def cost_table(scores: pd.DataFrame) -> pd.DataFrame:
    """The time of each proxy, cheapest first: medians over the networks on which it finished.

    The columns of the result:

    * ``proxy``, and ``networks``: the number of rows with status ``ok`` or ``non_finite``; others have no time.
    * ``own_ms``: the time that the proxy adds if the passes that it shares with others are made anyway, in
      milliseconds.
    * ``standalone_ms``: its time alone, including shared passes, in milliseconds.
    * ``own_ratio``, ``standalone_ratio``: the same times as multiples of one plain forward and backward pass of the
      same network and batch (median of the ratios); comparable between machines. If a unit made no such pass, the
      median over the network's other units is used.

    Times are NaN if none was measured.

    Args:
        scores: one row for each architecture and proxy, with the columns ``architecture``, ``proxy``, ``status``,
            ``own_seconds``, ``standalone_seconds`` and ``forward_backward_seconds``.

    Raises:
        HarnessError: if a column is missing.
    """
    require_columns(scores, ("architecture", "proxy", "status", *SECONDS))
    ran = scores["status"].isin(["ok", "non_finite"])
    own, standalone, step = (scores[column].astype(float).where(ran) for column in SECONDS)
    step = step.where(step > 0)
    step = step.fillna(step.groupby(scores["architecture"]).transform("median"))
    times = pd.DataFrame(
        {
            "networks": ran.astype(np.int64),
            "own_ms": 1000 * own,
            "standalone_ms": 1000 * standalone,
            "own_ratio": own / step,
            "standalone_ratio": standalone / step,
        }
    ).groupby(scores["proxy"].to_numpy())
    table = times.median()
    table["networks"] = times["networks"].sum()
    return table.rename_axis("proxy").sort_values("own_ms", kind="stable").reset_index()[COLUMNS]
