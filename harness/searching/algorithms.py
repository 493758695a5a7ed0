"""Search algorithms: which candidate to try next, given all that has been scored.

Each algorithm proposes candidates and is told, in the order of the candidates, what became of them. It draws all its
random choices from the generator that it is given, which depends only on the seed and the candidate's number. A search
is therefore the same at any number of workers, and after any interruption.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness._utils.names import unknown_name
from harness.contracts.search_space import SearchSpace
from harness.errors import HarnessError, UnknownNameError
from harness.searching.objective import Floats

Values = Callable[[], Floats]
"""The objective of all entered networks, in the order in which they entered; higher is better."""


@dataclass(frozen=True)
class Proposal:
    """A candidate and the architecture that it was made from; None: drawn, or the start."""

    architecture: str
    parent: str | None = None


@dataclass(frozen=True)
class Setup:
    """What an algorithm works with.

    Attributes:
        space: the space.
        dataset: the data set, which an initial architecture may depend on.
        start: the architecture to start from; None: random ones, or the space's own where it cannot be drawn from.
        moves: the named distribution of mutations; None: the space's default.
        population: the number of networks that evolution keeps.
    """

    space: SearchSpace
    dataset: str
    start: str | None = None
    moves: str | None = None
    population: int = 512

    @property
    def is_drawn(self) -> bool:
        """Whether the space can be drawn from uniformly."""
        return type(self.space).random is not SearchSpace.random

    def first(self, generator: np.random.Generator) -> Proposal:
        """A start: a random architecture, or a mutation of the initial one."""
        if self.start is None and self.is_drawn:
            return Proposal(self.space.random(generator))
        start = self.space.initial(self.dataset) if self.start is None else self.start
        return self.mutated(start, generator)

    def mutated(self, parent: str, generator: np.random.Generator, mutations: int = 1) -> Proposal:
        """A mutation of an architecture."""
        return Proposal(self.space.mutate(parent, generator, mutations, self.moves), parent)


class Algorithm(ABC):
    """Proposes candidates from all that has entered.

    Attributes:
        name: on the command line.
        summary: one line.
        source: paper and equation, or the code that it follows.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.entered: list[str] = []

    @abstractmethod
    def propose(self, generator: np.random.Generator, values: Values) -> Proposal | None:
        """The next candidate; None if a candidate on its way has to enter first."""

    def enter(self, architecture: str, values: Values) -> None:
        """Told that a candidate was scored."""
        self.entered.append(architecture)

    def rejected(self, architecture: str) -> None:  # noqa: B027
        """Told that a candidate did not keep to the budgets."""

    def population(self, values: Values) -> list[int]:
        """The places, in the order of entry, of the networks that the algorithm keeps."""
        return list(range(len(self.entered)))


class RandomSearch(Algorithm):
    """Independent uniform draws."""

    name = "random"
    summary = "independent uniform draws"
    source = "the search of NASWOT (Mellor et al., ICML 2021) and EPE-NAS (Lopes et al., 2021)"

    def propose(self, generator: np.random.Generator, values: Values) -> Proposal:
        """A uniformly drawn architecture."""
        return Proposal(self.setup.space.random(generator))


class Evolution(Algorithm):
    """Zen-NAS's evolution: a uniform parent, two places mutated, the lowest score dropped.

    While at most ten networks are in the population, the start is mutated in one place (or drawn, where a space can be
    drawn from and no start is given). Then each candidate is a mutation, in two places, of a parent drawn uniformly
    from the whole population. A population that is too large loses its lowest score. There is no crossover.
    """

    name = "evolution"
    summary = "Zen-NAS's evolution: mutations of a uniformly drawn parent; the lowest score is dropped"
    source = "Lin et al., ICCV 2021, Algorithm 2, with the constants of its code (evolution_search.py)"

    SEEDS = 10
    """The population up to which candidates come from the start."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._kept: list[int] = []

    def propose(self, generator: np.random.Generator, values: Values) -> Proposal:
        """A mutation of the start, or of a network of the population."""
        kept = self.parents(values)
        if len(kept) <= self.SEEDS:
            return self.setup.first(generator)
        parent = self.entered[kept[int(generator.integers(len(kept)))]]
        return self.setup.mutated(parent, generator, mutations=2)

    def parents(self, values: Values) -> Sequence[int]:
        """The places of the networks that a parent is drawn from."""
        return self._kept

    def enter(self, architecture: str, values: Values) -> None:
        """Add it to the population; drop the lowest score, the oldest of several, if there are too many."""
        super().enter(architecture, values)
        self._kept.append(len(self.entered) - 1)
        if len(self._kept) > self.setup.population:
            self._kept.pop(int(np.argmin(values()[self._kept])))

    def population(self, values: Values) -> list[int]:
        """The networks that were not dropped."""
        return list(self._kept)


class EvolutionOfAll(Evolution):
    """AZ-NAS's evolution: the parent is one of the best of everything scored, by ranks that are computed again.

    With a single proxy this keeps the same networks as ``evolution`` but for the smallest of a population; with ranks,
    whose values change while the pool grows, a network that was not among the best can become one.
    """

    name = "evolution-of-all"
    summary = "AZ-NAS's evolution: the parent is among the best of all networks scored, by ranks computed again"
    source = "Lee & Ham, CVPR 2024, with the constants of its code (population 1,024, a parent of the best 1,023)"

    def parents(self, values: Values) -> Sequence[int]:
        """The best but one place fewer than the population, of all that entered."""
        if len(self.entered) < self.setup.population:
            return range(len(self.entered))
        return self._best(values, self.setup.population - 1)

    def enter(self, architecture: str, values: Values) -> None:
        """Nothing is dropped."""
        self.entered.append(architecture)

    def population(self, values: Values) -> list[int]:
        """The best of all, as many as the population has."""
        return self._best(values, self.setup.population)

    def _best(self, values: Values, count: int) -> list[int]:
        order = np.argsort(-values(), kind="stable")
        return sorted(order[:count].tolist())


class RegularisedEvolution(Algorithm):
    """Ageing evolution: the parent is the best of a few drawn networks, and the oldest network is dropped.

    The first networks, as many as the population has, are drawn (or mutations of the start).
    """

    name = "regularised"
    summary = "ageing evolution: mutations of the best of a few drawn networks; the oldest is dropped"
    source = "Real et al., AAAI 2019, Algorithm 1, with a sample of a tenth of the population, at least 2"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._kept: deque[int] = deque()

    def propose(self, generator: np.random.Generator, values: Values) -> Proposal:
        """A start while the population is not full, then a mutation of the best of a sample."""
        if len(self.entered) < self.setup.population:
            return self.setup.first(generator)
        sample = max(2, self.setup.population // 10)
        drawn = [self._kept[int(place)] for place in generator.integers(len(self._kept), size=sample)]
        best = drawn[int(np.argmax(values()[drawn]))]
        return self.setup.mutated(self.entered[best], generator)

    def enter(self, architecture: str, values: Values) -> None:
        """Add it, and drop the oldest if there are too many."""
        super().enter(architecture, values)
        self._kept.append(len(self.entered) - 1)
        if len(self._kept) > self.setup.population:
            self._kept.popleft()

    def population(self, values: Values) -> list[int]:
        """The youngest networks."""
        return list(self._kept)


class LocalSearch(Algorithm):
    """Hill climbing: all neighbours of the current network are scored, then the best of them becomes the current one.

    Where no neighbour is better, the search starts again from a random network.
    """

    name = "local"
    summary = "hill climbing over all neighbours, from a new random network at each optimum"
    source = "White et al., UAI 2021, Algorithm 1, with restarts"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._current: int | None = None
        self._waiting = 0
        self._unseen: list[str] = []
        self._round: list[int] = []
        self._parent: str | None = None

    def propose(self, generator: np.random.Generator, values: Values) -> Proposal | None:
        """A neighbour of the current network, or a start."""
        if not self._unseen and not self._waiting:
            self._move(generator, values)
        if self._unseen:
            self._waiting += 1
            return Proposal(self._unseen.pop(), self._parent)
        if self._waiting:
            return None
        self._waiting += 1
        return self.setup.first(generator)

    def enter(self, architecture: str, values: Values) -> None:
        """Count it among the scored neighbours."""
        super().enter(architecture, values)
        self._round.append(len(self.entered) - 1)
        self._waiting -= 1

    def rejected(self, architecture: str) -> None:
        """A neighbour that does not keep to the budgets is not waited for."""
        self._waiting -= 1

    def _move(self, generator: np.random.Generator, values: Values) -> None:
        """Go to the best scored neighbour if it is better; otherwise start again."""
        if not self._round:
            return
        scores = values()
        best = self._round[int(np.argmax(scores[self._round]))]
        self._round = []
        if self._current is not None and not scores[best] > scores[self._current]:
            self._current, self._parent = None, None
            return
        self._current, self._parent = best, self.entered[best]
        near = list(self.setup.space.neighbours(self._parent))
        self._unseen = [near[place] for place in generator.permutation(len(near))]


ALGORITHMS: dict[str, type[Algorithm]] = {
    each.name: each for each in (Evolution, EvolutionOfAll, RegularisedEvolution, LocalSearch, RandomSearch)
}
"""Every algorithm by name, the default first."""


def algorithm(name: str, setup: Setup) -> Algorithm:
    """The algorithm with this name.

    Raises:
        UnknownNameError: if there is none.
        HarnessError: if the space does not offer what it needs.
    """
    if name not in ALGORITHMS:
        raise UnknownNameError(unknown_name("search algorithm", name, ALGORITHMS))
    chosen = ALGORITHMS[name]
    space = setup.space
    if chosen is RandomSearch and not setup.is_drawn:
        space.random(np.random.default_rng(0))
    if chosen is LocalSearch and type(space).neighbours is SearchSpace.neighbours:
        space.neighbours("")
    least = {Evolution: 2, EvolutionOfAll: Evolution.SEEDS + 2, RegularisedEvolution: 2}.get(chosen, 1)
    if setup.population < least:
        raise HarnessError(f"a population of {setup.population} is too small for {name}; use {least} or more")
    if setup.moves is not None and setup.moves not in space.moves:
        raise UnknownNameError(unknown_name("distribution of mutations", setup.moves, space.moves))
    return chosen(setup)
