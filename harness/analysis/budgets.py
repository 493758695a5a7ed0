"""What a proxy chooses under a budget: of the networks that cost no more, the one that it scores best."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from harness.analysis.joined import Joined
from harness.analysis.scores import Mask
from harness.analysis.search import OPTIMUM, RANDOM
from harness.analysis.statistics.jackknife import Floats
from harness.errors import HarnessError

QUANTILES = (0.10, 0.25, 0.50, 0.75, 1.00)

COLUMNS = [
    "row", "kind", "quantile", "budget", "feasible", "scored", "tied", "accuracy", "best", "regret",
]  # fmt: skip


def budgets_table(joined: Joined, cost: Floats, quantiles: Iterable[float] = QUANTILES) -> pd.DataFrame:
    """The accuracy of each proxy's choice among the networks within a budget, beside the best there is.

    The columns of the result:

    * ``row``: a name of :attr:`harness.analysis.joined.Joined.rows`, ``(random)``, the mean of the feasible, or
      ``(optimum)``; ``kind``.
    * ``quantile``, ``budget``: the quantile of the costs (linear between two networks) and the cost that it is;
      ``feasible``: how many networks cost no more; ``scored``: those of them with a finite score.
    * ``tied``: how many share the best score; ``accuracy``: their mean, which is what choosing one of them at random is
      expected to give. Where no feasible network has a score, the choice is one of the feasible at random.
    * ``best``: the greatest accuracy among the feasible; ``regret``: ``best`` minus ``accuracy``, never negative.

    Args:
        joined: scores and accuracies.
        cost: of each network, the lower the better; a network whose cost is NaN is never feasible. Shape (n,).
        quantiles: each in [0, 1].

    Raises:
        HarnessError: if no network has a cost, or a quantile is not between 0 and 1.
    """
    wanted = sorted(set(quantiles))
    if not wanted or not (wanted[0] >= 0 and wanted[-1] <= 1):
        raise HarnessError(
            f"quantiles of the costs lie between 0 and 1, not {', '.join(map(str, wanted)) or 'nowhere'}"
        )
    known = cost[np.isfinite(cost)]
    if not len(known):
        raise HarnessError("no network has a cost, so there is no budget; choose another cost")
    records = []
    for quantile in wanted:
        budget = float(np.quantile(known, quantile))
        feasible = cost <= budget
        accuracy = joined.accuracy[feasible]
        best = float(accuracy.max())
        for row, kind, scored, tied, chosen in _choices(joined, feasible):
            records.append((row, kind, quantile, budget, len(accuracy), scored, tied, chosen, best, best - chosen))
    return pd.DataFrame(records, columns=COLUMNS)


def _choices(joined: Joined, feasible: Mask) -> list[tuple[str, str, int, int, float]]:
    """Of every row: name, kind, how many feasible networks it scored, how many it ties, its expected accuracy."""
    accuracy = joined.accuracy[feasible]
    every = len(accuracy)
    choices: list[tuple[str, str, int, int, float]] = []
    for name, scores in joined.rows.items():
        value = scores.value[feasible]
        scored = int(np.isfinite(value).sum())
        chosen = value == np.nanmax(value) if scored else np.ones(every, dtype=bool)
        choices.append((name, joined.kind(name), scored, int(chosen.sum()), float(accuracy[chosen].mean())))
    best = accuracy.max()
    choices.append((RANDOM, "random", every, every, float(accuracy.mean())))
    choices.append((OPTIMUM, "optimum", every, int((accuracy == best).sum()), float(best)))
    return choices
