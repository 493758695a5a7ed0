"""What a proxy chooses under a budget: the network with the best score among those within the budget."""

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
    """The accuracy of each proxy's choice among the networks within a budget, compared with the best of these.

    The columns of the result:

    * ``row``: a name of :attr:`harness.analysis.joined.Joined.rows`, ``(random)`` for the mean of the feasible
      networks, or ``(optimum)``; ``kind``.
    * ``quantile``, ``budget``: the quantile of the costs (linearly interpolated) and its value; ``feasible``: the
      number of networks with at most this cost; ``scored``: the number of these with a finite score.
    * ``tied``: the number that share the best score; ``accuracy``: their mean accuracy, which is the expectation of
      choosing one of them at random. If no feasible network has a score, a feasible network is chosen at random.
    * ``best``: the highest accuracy of a feasible network; ``regret``: ``best`` minus ``accuracy``, never negative.

    Args:
        joined: scores and accuracies.
        cost: of each network, lower is better; networks with cost NaN are never feasible. Shape (n,).
        quantiles: each in [0, 1].

    Raises:
        HarnessError: if no network has a cost, or a quantile is not between 0 and 1.
    """
    wanted = sorted(set(quantiles))
    if not wanted or not (wanted[0] >= 0 and wanted[-1] <= 1):
        raise HarnessError(
            f"quantiles of the costs must lie between 0 and 1; got {', '.join(map(str, wanted)) or 'none'}"
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
    """For every row: name, kind, number of feasible networks scored, number tied for best, expected accuracy."""
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
