"""What searches with each proxy find: many seeds of each algorithm on the stored scores of a run.

The space is restricted to the run's networks: draws are among them, and a mutation that was not scored is drawn again.
Where a run scored few of a space's networks, most mutations are, and evolution is hardly more than random search. Each
search is the sequential loop of the paper (one candidate on its way).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.joined import Joined
from harness.analysis.search import OPTIMUM, RANDOM
from harness.analysis.statistics.correlation import two_sided_quantile
from harness.analysis.statistics.multiplicity import holm
from harness.analysis.timings import cost_table
from harness.contracts.search_space import NeighbourSpace, SearchSpace
from harness.errors import HarnessError
from harness.results import OpenedRun
from harness.searching.algorithms import RandomSearch, Setup, algorithm
from harness.searching.budgets import Budgets, budgets
from harness.searching.loop import SCORED, Limits, Search
from harness.searching.objective import Floats
from harness.seeds import derive_seed

EVALUATIONS = (10, 30, 100, 300)
PASSES = (10, 100, 1_000)
"""Lengths of searches: networks scored, and forward and backward passes of a network of median cost."""

Length = tuple[str, int]
"""A length of a search: ``networks`` or ``passes``, and how many."""

Found = Mapping[Length, tuple[float, int]]
"""What one search found: after each length, the accuracy, and the number of networks scored."""

_REDRAWS = 100

COLUMNS = [
    "algorithm", "row", "kind", "unit", "length", "networks", "searches", "accuracy", "low", "high", "deviation",
    "regret", "difference", "difference_low", "difference_high", "p", "p_holm",
]  # fmt: skip


@dataclass(frozen=True)
class StoredScores:
    """Maximises scores that are known."""

    columns: tuple[str, ...] = ("score",)
    depends_on_pool: bool = False

    def values(self, scores: Mapping[str, Floats]) -> Floats:
        """The scores, −∞ for none."""
        return np.where(np.isfinite(scores["score"]), scores["score"], -np.inf)


class _Scored(NeighbourSpace):
    """The part of a space that a run scored: draws are among its networks, moves are those of the space."""

    def __init__(self, space: SearchSpace, architectures: Sequence[str]) -> None:
        self.name = getattr(space, "name", "")
        self._space, self._architectures = space, list(architectures)
        self._known = frozenset(architectures)

    def random(self, generator: np.random.Generator) -> str:
        """A uniformly drawn network of the run."""
        return self._architectures[int(generator.integers(len(self._architectures)))]

    def neighbours(self, architecture: str) -> Sequence[str]:
        """Those that the run scored."""
        return [near for near in self._space.neighbours(architecture) if near in self._known]

    def mutate(
        self, architecture: str, generator: np.random.Generator, mutations: int = 1, moves: str | None = None
    ) -> str:
        """A mutation that the run scored; after :data:`_REDRAWS` others, a drawn network."""
        for _ in range(_REDRAWS):
            mutated = self._space.mutate(architecture, generator, mutations, moves)
            if mutated in self._known:
                return mutated
        return self.random(generator)


def comparison_table(
    run: OpenedRun,
    pool: Joined,
    *,
    algorithms: Iterable[str] = ("random",),
    evaluations: Sequence[int] | None = None,
    passes: Sequence[int] = PASSES,
    searches: int = 20,
    population: int = 32,
    budget: Iterable[str] = (),
    rows: Iterable[str] | None = None,
    baseline: str = "params",
) -> pd.DataFrame:
    """The accuracy of the network with the best score after a search of some length, for each proxy and algorithm.

    The columns of the result: ``algorithm``; ``row`` and ``kind`` as in :attr:`harness.analysis.joined.Joined.rows`,
    with ``(random)``, whose score is another random number for each network, and ``(optimum)``, whose score is the
    accuracy; ``unit`` and ``length``, ``networks`` scored or ``passes``; ``networks``, the mean number that were scored
    within it; ``searches``, with different seeds; ``accuracy``, oriented, the mean over them; ``low`` and ``high``, its
    95 % interval by Student's t; ``deviation`` between single searches; ``regret``, the best accuracy of the networks
    within the budgets minus the mean; ``difference`` to the baseline, paired by seed, its interval, its p-value, and
    the p-value after Holm's correction for the rows of one algorithm and length. A difference that is the same in every
    search, as where all networks are scored, has no interval.

    A search of L passes scores as many networks as fit: L divided by the proxy's stand-alone cost in forward and
    backward passes, and all of them if that is so many, whatever the algorithm. It is not given for rows without a
    cost. An aggregate's score is that among all networks of the pool.

    Args:
        run: the run.
        pool: its scores and accuracies.
        algorithms: names of :data:`harness.searching.algorithms.ALGORITHMS`.
        evaluations: numbers of networks scored; default: those of :data:`EVALUATIONS` up to half of the networks.
        passes: numbers of passes.
        searches: the number of seeds.
        population: of the evolutions.
        budget: what a network may have at most, see :func:`harness.searching.budgets.budgets`.
        rows: rows to search with; default: all.
        baseline: the row to compare with.

    Raises:
        HarnessError: if the benchmark is no search space, or has fewer networks within the budgets than a search needs.
    """
    if searches < 2:
        raise HarnessError(f"{searches} search has no interval; use 2 or more")
    space = run.benchmark
    if not isinstance(space, SearchSpace):
        raise HarnessError(f"{space.name} is no search space")
    limited = budgets(budget, space, run.setting.dataset)
    within = np.array([not limited.check(str(name))[0] for name in pool.architectures], dtype=bool)
    if within.sum() < 2:
        raise HarnessError(f"{int(within.sum())} of the run's networks keep to {limited.words}; give a larger budget")
    part = pool.within(within)
    if evaluations is None:
        evaluations = [length for length in EVALUATIONS if length <= len(part) / 2] or [1]
    setup = Setup(
        _Scored(space, [str(name) for name in part.architectures]), run.setting.dataset, population=population
    )
    wanted = None if rows is None else {*rows, baseline}
    scores = {name: each.value for name, each in part.rows.items() if wanted is None or name in wanted}
    costs = dict(cost_table(run.scores).set_index("proxy")["standalone_ratio"])
    known = {**scores, OPTIMUM: part.accuracy}
    lengths = {
        row: {("networks", length): length for length in evaluations}
        | _affordable(_cost(row, costs, run), passes, part)
        for row in (*scores, RANDOM, OPTIMUM)
    }
    tables = []
    for name in algorithms:
        found: dict[str, list[Found]] = {row: [] for row in lengths}
        for row, seed in itertools.product(lengths, range(searches)):
            score = np.random.default_rng(seed).random(len(part)) if row == RANDOM else known[row]
            shorter = {length: count for length, count in lengths[row].items() if count < len(part)}
            searched = _order(name, setup, part, score, seed, max(shorter.values(), default=1))
            everything = _order(RandomSearch.name, setup, part, score, seed, len(part))
            both = {
                **_found(everything, score, part.accuracy, lengths[row]),
                **_found(searched, score, part.accuracy, shorter),
            }
            found[row].append(both)
        tables.append(_summary(name, found, part, baseline))
    return pd.concat(tables, ignore_index=True)


def _cost(row: str, costs: Mapping[str, float], run: OpenedRun) -> float:
    """The stand-alone cost of a row in passes; that of an aggregate is the sum of its parts'."""
    if row in run.aggregates:
        return float(sum(costs.get(part, math.nan) for part in run.aggregates[row].parts))
    return float(costs.get(row, math.nan))


def _affordable(cost: float, passes: Sequence[int], part: Joined) -> dict[Length, int]:
    """How many networks fit into so many passes; nothing for a row without a cost."""
    if not math.isfinite(cost):
        return {}
    return {("passes", length): max(1, min(len(part), int(length / max(cost, 1e-9)))) for length in passes}


def _order(name: str, setup: Setup, part: Joined, score: Floats, seed: int, length: int) -> NDArray[np.intp]:
    """The places of the networks in the order in which a search scores them."""
    if name == RandomSearch.name:
        # The order in which independent draws first meet the networks.
        return np.random.default_rng(derive_seed("search", seed)).permutation(len(part))
    place = {str(architecture): number for number, architecture in enumerate(part.architectures)}
    search = Search(algorithm(name, setup), StoredScores(), Budgets(), Limits(length), seed=seed, ahead=1)
    while (architecture := search.advance()) is not None:
        search.take(architecture, {"score": float(score[place[architecture]])})
    return np.array([place[each.architecture] for each in search.candidates if each.outcome == SCORED], dtype=np.intp)


def _found(order: NDArray[np.intp], score: Floats, accuracy: Floats, lengths: Mapping[Length, int]) -> Found:
    """The accuracy of the network with the best score after each length, and the number of networks scored."""
    values = np.where(np.isfinite(score[order]), score[order], -np.inf)
    # Of equal scores the first counts, as in code that looks for a better one.
    first = np.concatenate([[True], values[1:] > np.maximum.accumulate(values)[:-1]])
    leader = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    reached = {key: min(count, len(order)) for key, count in lengths.items()}
    return {key: (float(accuracy[order[leader[count - 1]]]), count) for key, count in reached.items()}


def _summary(
    name: str,
    found: Mapping[str, Sequence[Found]],
    part: Joined,
    baseline: str,
) -> pd.DataFrame:
    from scipy.stats import ttest_1samp

    records = []
    best = float(part.accuracy.max())
    for row, runs in found.items():
        kind = {RANDOM: "random", OPTIMUM: "optimum"}.get(row) or part.kind(row)
        for unit, length in runs[0]:
            accuracy = np.array([each[unit, length][0] for each in runs])
            mean, low, high = _interval(accuracy)
            record = {
                "algorithm": name, "row": row, "kind": kind, "unit": unit, "length": length,
                "networks": float(np.mean([each[unit, length][1] for each in runs])), "searches": len(runs),
                "accuracy": mean, "low": low, "high": high, "deviation": float(accuracy.std(ddof=1)),
                "regret": best - mean,
            }  # fmt: skip
            if baseline in found and row not in (baseline, OPTIMUM) and (unit, length) in found[baseline][0]:
                paired = accuracy - np.array([each[unit, length][0] for each in found[baseline]])
                difference, difference_low, difference_high = _interval(paired)
                record["difference"] = difference
                # Where every search scores all networks, one network is compared with one other: there is no spread.
                if paired.std() > 0:
                    record |= {
                        "difference_low": difference_low, "difference_high": difference_high,
                        "p": float(ttest_1samp(paired, 0.0).pvalue),
                    }  # fmt: skip
            records.append(record)
    table = pd.DataFrame(records).reindex(columns=COLUMNS)
    for _, group in table[table["p"].notna()].groupby(["unit", "length"]):
        table.loc[group.index, "p_holm"] = holm(group["p"].to_numpy())
    return table


def _interval(values: Floats) -> tuple[float, float, float]:
    """The mean and its 95 % interval by Student's t."""
    half = two_sided_quantile(0.95, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    mean = float(values.mean())
    return mean, mean - float(half), mean + float(half)
