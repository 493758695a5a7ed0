"""What each proxy costs, in milliseconds and in plain training steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.scores import require_columns

COLUMNS = ["proxy", "networks", "own_ms", "standalone_ms", "own_ratio", "standalone_ratio"]
SECONDS = ("own_seconds", "standalone_seconds", "forward_backward_seconds")


def cost_table(scores: pd.DataFrame) -> pd.DataFrame:
    """The time of each proxy, cheapest first: medians over the networks on which it ran to its end.

    The columns of the result:

    * ``proxy``, and ``networks``: how many rows are ``ok`` or ``non_finite``; failed and skipped ones tell no time.
    * ``own_ms``: what the proxy adds where the passes that it shares with others are made anyway, in milliseconds.
    * ``standalone_ms``: what it costs alone, shared passes included, in milliseconds.
    * ``own_ratio``, ``standalone_ratio``: the same seconds as multiples of one plain forward and backward pass of
      the same network and batch, the median of the ratios; comparable between machines. Where proxies were computed
      in a unit that needed no such pass, it is the median of those that the network's other units made.

    Times are NaN where none was measured.

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
