"""What all boards together say about each proxy: its mean rank, and how often it differs from the baseline."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.site.leaderboard.boards import Board, Estimate

DRAWS = 2_000
FEWEST_BENCHMARKS = 3
"""With fewer benchmarks, an interval of a mean over benchmarks means little."""


@dataclass(frozen=True)
class Place:
    """A proxy's place on a board, in its default choice.

    Attributes:
        board: the board.
        place: from 1 for the highest τ.
        of: the number of rows.
        rank: 0 for the first, 100 for the last, so that boards of different lengths compare.
        after_holm: the verdict after Holm's correction.
    """

    board: Board
    place: int
    of: int
    rank: float
    after_holm: str


@dataclass(frozen=True)
class Standing:
    """A proxy across all boards.

    Attributes:
        proxy: its name.
        places: its place on each board that has it.
        boards: the number of all boards.
        rank: its mean rank with an interval.
    """

    proxy: str
    places: tuple[Place, ...]
    boards: int
    rank: Estimate

    @property
    def widespread(self) -> bool:
        """Whether at least half of the boards have it; the mean rank of others says little."""
        return 2 * len(self.places) >= self.boards

    def count(self, verdict: str) -> int:
        """On how many boards it has this verdict after Holm's correction."""
        return sum(place.after_holm == verdict for place in self.places)


def places_on(board: Board) -> dict[str, Place]:
    """The place of each proxy in the default choice; those without a coefficient share the last place."""
    rows = board.chosen()
    places: dict[str, Place] = {}
    for row in rows:
        undefined = math.isnan(row.kendall.value)
        place = len(rows) if undefined else 1 + sum(other.kendall.value > row.kendall.value for other in rows)
        rank = 100 * (place - 1) / (len(rows) - 1) if len(rows) > 1 else 0.0
        places[row.proxy] = Place(board, place, len(rows), rank, row.after_holm)
    return places


def standings(boards: Sequence[Board]) -> list[Standing]:
    """Every proxy, the best mean rank first; those that fewer than half of the boards have come last."""
    places: dict[str, list[Place]] = defaultdict(list)
    for board in boards:
        for proxy, place in places_on(board).items():
            places[proxy].append(place)
    found = [Standing(proxy, tuple(each), len(boards), mean_rank(each)) for proxy, each in places.items()]
    return sorted(found, key=lambda standing: (not standing.widespread, standing.rank.value, standing.proxy))


def mean_rank(places: Sequence[Place]) -> Estimate:
    """The mean rank over boards, with a 95 % bootstrap interval.

    Whole benchmarks are drawn, because the data sets of one benchmark share their networks. The draws are the same in
    every build.
    """
    by_benchmark: dict[str, list[float]] = defaultdict(list)
    for place in places:
        by_benchmark[place.board.benchmark].append(place.rank)
    sums, counts = (np.array([reduced(ranks) for ranks in by_benchmark.values()]) for reduced in (sum, len))
    mean = float(sums.sum() / counts.sum())
    if len(sums) < FEWEST_BENCHMARKS:
        return Estimate(mean, math.nan, math.nan)
    drawn = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(mean, float(low), float(high))
