"""Pareto fronts of accuracy against cost: the true front, and the fronts that proxies choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.joined import Joined
from harness.analysis.search import OPTIMUM, RANDOM
from harness.analysis.statistics.jackknife import Floats
from harness.errors import HarnessError

TABLE_COLUMNS = ["row", "kind", "scored", "choices", "hypervolume", "found", "front"]
POINT_COLUMNS = ["row", "cost", "accuracy"]


@dataclass(frozen=True)
class Choice:
    """A network to train because it lies on a front, or one of several with the same score and cost.

    Attributes:
        cost: its cost.
        members: the networks with this cost and score; one of them is taken at random.
        probability: that one is taken at all; 1 unless the front itself is random.
    """

    cost: float
    members: NDArray[np.intp]
    probability: float = 1.0


def front_of(cost: Floats, value: Floats) -> list[Choice]:
    """The non-dominated networks, cheapest first; networks equal in cost and value are one choice.

    A network is dominated if another costs no more and has no lower value, and one of the two is better. Networks
    whose cost or value is NaN are left out. O(n log n).

    >>> [choice.members.tolist() for choice in front_of(np.array([1.0, 2, 2, 3]), np.array([5.0, 7, 7, 6]))]
    [[0], [1, 2]]
    """
    order, starts = _by_cost(cost, np.isfinite(value))
    if not len(order):
        return []
    highest = np.maximum.reduceat(value[order], starts)
    former = np.append(-np.inf, np.maximum.accumulate(highest)[:-1])
    ends = np.append(starts[1:], len(order))
    choices = []
    for place in np.flatnonzero(highest > former):
        level = order[starts[place] : ends[place]]
        choices.append(Choice(float(cost[level[0]]), level[value[level] == highest[place]]))
    return choices


def random_front(cost: Floats) -> list[Choice]:
    """The front of a random score.

    Among the networks up to a cost, the best score is at exactly that cost with probability (networks at that cost) /
    (networks up to it). These events are independent between costs, like records in a random sequence.
    """
    order, starts = _by_cost(cost, np.ones(len(cost), dtype=bool))
    ends = [*starts[1:], len(order)]
    return [
        Choice(float(cost[order[start]]), order[start:end], (end - start) / end)
        for start, end in zip(starts, ends, strict=True)
    ]


def expected_best(choices: Sequence[Choice], accuracy: Floats) -> Floats:
    r"""The expected accuracy of the best network trained so far, after each choice. Shape (choices,).

    With :math:`F_k` the distribution function of the accuracies of choice k and :math:`p_k` its probability, the best
    of the first K has the distribution function :math:`\prod_{k \le K} (1 - p_k + p_k F_k)`, because choices are
    independent. The result is exact, not sampled.
    """
    if all(len(choice.members) == 1 and choice.probability == 1 for choice in choices):
        return np.maximum.accumulate(accuracy[[choice.members[0] for choice in choices]])
    grid = np.unique(accuracy[np.concatenate([choice.members for choice in choices])])
    gaps = np.diff(grid)
    below = np.ones(len(grid))
    # The distribution is 0 below `low` and 1 from `high` on.
    low = high = 0
    expected = np.empty(len(choices))
    for number, choice in enumerate(choices):
        places = np.sort(np.searchsorted(grid, accuracy[choice.members]))
        high = max(high, int(places[-1]))
        if choice.probability == 1:
            low = max(low, int(places[0]))
        if len(places) == 1:
            below[low : places[0]] *= 1 - choice.probability
        else:
            share = np.searchsorted(places, np.arange(low, high), side="right") / len(places)
            below[low:high] *= 1 - choice.probability * (1 - share)
        expected[number] = grid[high] - below[low:high] @ gaps[low:high]
    return expected


def hypervolume(costs: Floats, best: Floats, reference: tuple[float, float]) -> float:
    """The area between a front and a reference point.

    Args:
        costs: of the front, ascending.
        best: the best accuracy up to each of these costs.
        reference: the highest cost and the worst accuracy.
    """
    return float(np.diff(np.append(costs, reference[0])) @ (best - reference[1]))


def pareto_table(joined: Joined, cost: Floats) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How close the front chosen by each proxy is to the true front.

    A proxy's front consists of the networks that are non-dominated in its score and the cost. These are trained; their
    accuracies count, of which the best up to each cost are kept. If several networks have the same score and cost, one
    is taken at random and all results are expectations over this, so a proxy with many ties does not get all of them.
    Networks without a cost are left out; networks without a score are never chosen.

    The columns of the first table:

    * ``row``, a name of :attr:`harness.analysis.joined.Joined.rows`, ``(random)``, a random score, or ``(optimum)``,
      the true front; ``kind``; ``scored``, the number of networks with a finite score and a cost.
    * ``choices``: the number of networks trained (expected number if the front is random).
    * ``hypervolume``: as a share of the true front's, with the highest cost and the worst accuracy of all networks as
      reference point. At most 1; NaN if that of the true front is 0.
    * ``found``: the expected number of members of the true front among the choices; ``front``: the size of the true
      front.

    The columns of the second: ``row``, ``cost`` and ``accuracy``, the best up to that cost; one line per step.

    Args:
        joined: scores and accuracies.
        cost: of each network, lower is better; NaN if there is none. Shape (n,).

    Raises:
        HarnessError: if no network has a cost.
    """
    known = np.isfinite(cost)
    if not known.any():
        raise HarnessError("no network has a cost, so there is no front; choose another cost")
    reference = float(cost[known].max()), float(joined.accuracy[known].min())
    true = front_of(cost, joined.accuracy)
    members = np.concatenate([choice.members for choice in true])
    on_front = np.zeros(len(cost), dtype=bool)
    on_front[members] = True
    rows: list[tuple[str, str, list[Choice]]] = [
        (name, joined.kind(name), front_of(cost, scores.value)) for name, scores in joined.rows.items()
    ]
    rows += [(RANDOM, "random", random_front(cost)), (OPTIMUM, "optimum", true)]
    full = hypervolume(_costs(true), expected_best(true, joined.accuracy), reference)
    records, points = [], []
    for row, kind, choices in rows:
        best = expected_best(choices, joined.accuracy) if choices else np.empty(0)
        reached = hypervolume(_costs(choices), best, reference) if choices else np.nan
        usable = np.isfinite(joined.rows[row].value) & known if row in joined.rows else known
        records.append(
            (
                row,
                kind,
                int(usable.sum()),
                float(sum(choice.probability for choice in choices)),
                reached / full if full > 0 else np.nan,
                len(members) if row == OPTIMUM else _found(choices, on_front),
                len(members),
            )
        )
        points += [(row, choice.cost, value) for choice, value in zip(choices, best, strict=True)]
    return pd.DataFrame(records, columns=TABLE_COLUMNS), _steps(pd.DataFrame(points, columns=POINT_COLUMNS))


def _by_cost(cost: Floats, usable: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The usable networks with a cost, cheapest first, and the positions where each new cost begins."""
    members = np.flatnonzero(usable & np.isfinite(cost))
    order = members[np.argsort(cost[members], kind="stable")]
    return order, np.flatnonzero(np.diff(cost[order], prepend=-np.inf))


def _costs(choices: Sequence[Choice]) -> Floats:
    return np.array([choice.cost for choice in choices])


def _found(choices: Sequence[Choice], on_front: NDArray[np.bool_]) -> float:
    return float(sum(choice.probability * on_front[choice.members].mean() for choice in choices))


def _steps(points: pd.DataFrame) -> pd.DataFrame:
    """Drop points that do not improve on the best accuracy at a lower cost."""
    former = points.groupby("row", sort=False)["accuracy"].shift()
    return points[former.isna() | (points["accuracy"] > former)].reset_index(drop=True)
