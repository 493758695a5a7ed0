"""The loop of a search: candidates in a fixed order, whatever the number of workers.

Candidates are numbered. Number i draws its random choices from a seed of its own, and from what has entered by then.
At most ``ahead`` candidates are on their way: when there are so many, the oldest has to enter, in its turn, before the
next is drawn. What has entered when a candidate is drawn is therefore a function of the candidates alone, and not of
how fast they are scored, so that one worker and many, a run and its resumption give the same search. With ``ahead`` 1
it is the sequential loop of the papers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.searching.algorithms import Algorithm, Proposal
from harness.searching.budgets import Budgets
from harness.searching.objective import Floats, Maximised
from harness.seeds import derive_seed

SCORED, AGAIN = "scored", "again"
"""What became of a candidate that kept to the budgets: it was scored, or had been scored before."""

FRUITLESS = 10_000
"""The number of candidates without a new network after which a search ends."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate of a search.

    Attributes:
        number: counted from 0.
        architecture: the candidate.
        parent: the architecture that it was made from; None if there is none.
        outcome: :data:`SCORED`, :data:`AGAIN`, or the quantity whose budget it exceeds.
        sizes: the quantities that were looked at, in the order of the budgets, up to the first that is exceeded.
    """

    number: int
    architecture: str
    parent: str | None
    outcome: str
    sizes: Mapping[str, float]

    @property
    def is_accepted(self) -> bool:
        """Whether it kept to the budgets."""
        return self.outcome in (SCORED, AGAIN)


@dataclass(frozen=True)
class Limits:
    """When a search ends.

    Attributes:
        evaluations: different networks scored.
        candidates: candidates drawn, rejected ones included, as Zen-NAS counts its iterations; None: as many as it
            takes, unless :data:`FRUITLESS` in a row bring no new network.
    """

    evaluations: int | None
    candidates: int | None = None

    def __post_init__(self) -> None:
        if self.evaluations is None and self.candidates is None:
            raise HarnessError("a search needs an end: give a number of evaluations, or of candidates")
        for name, number in (("evaluations", self.evaluations), ("candidates", self.candidates)):
            if number is not None and number < 1:
                raise HarnessError(f"{number} {name} is no search; give 1 or more")

    def reached(self, evaluations: int, candidates: int) -> bool:
        """Whether no further candidate may be drawn."""
        enough = self.evaluations is not None and evaluations >= self.evaluations
        return enough or (self.candidates is not None and candidates >= self.candidates)


class Search:
    """The state of a search; :meth:`advance` draws candidates, and :meth:`take` is told their scores.

    Attributes:
        candidates: all that were drawn.
        entered: the architectures in the order in which they entered.
        evaluations: the number of different networks scored or to be scored.
        ended: whether nothing is left to draw, and everything has entered.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        objective: Maximised,
        budgets: Budgets,
        limits: Limits,
        *,
        seed: int,
        ahead: int,
    ) -> None:
        if ahead < 1:
            raise HarnessError(f"{ahead} candidates ahead is no search; use 1 or more")
        self.algorithm, self.objective, self.budgets, self.limits = algorithm, objective, budgets, limits
        self.candidates: list[Candidate] = []
        self.entered: list[int] = []
        self.ended = False
        self._seed, self._ahead = seed, ahead
        self._on_their_way: deque[Candidate] = deque()
        self._known: dict[str, Mapping[str, float]] = {}
        self._asked: set[str] = set()
        self._fruitless = 0
        self._table = np.empty((64, len(objective.columns)))
        self._values = np.empty(64)
        self._is_current = True

    @property
    def evaluations(self) -> int:
        """The number of different networks scored, or on their way."""
        return len(self._asked)

    def take(self, architecture: str, scores: Mapping[str, float]) -> None:
        """Note the oriented scores of a network, NaN for none; it enters in its turn."""
        self._known[architecture] = scores

    def advance(self) -> str | None:
        """Draw candidates up to one that needs to be scored; None if a score has to be taken first, or at the end."""
        while not self.ended:
            full = len(self._on_their_way) >= self._ahead
            over = self.limits.reached(self.evaluations, len(self.candidates)) or self._is_exhausted()
            proposal = None if full or over else self._propose()
            if proposal is None:
                if self._on_their_way:
                    if self._on_their_way[0].architecture not in self._known:
                        return None
                    self._enter(self._on_their_way.popleft())
                    continue
                self.ended = True
                break
            if self._draw(proposal):
                return proposal.architecture
        return None

    def values(self) -> Floats:
        """The objective of all entered networks, in the order of entry; higher is better."""
        count = len(self.entered)
        if not self._is_current:
            self._values[:count] = self._objective_of(self._table[:count])
            self._is_current = True
        return self._values[:count]

    def scores(self) -> Mapping[str, Floats]:
        """The oriented scores of all entered networks by each proxy."""
        rows = self._table[: len(self.entered)]
        return {name: rows[:, column].copy() for column, name in enumerate(self.objective.columns)}

    def architectures(self) -> Sequence[str]:
        """Those that entered, in that order."""
        return [self.candidates[number].architecture for number in self.entered]

    def _objective_of(self, rows: Floats) -> Floats:
        return self.objective.values({name: rows[:, column] for column, name in enumerate(self.objective.columns)})

    def _is_exhausted(self) -> bool:
        """Whether the last candidates brought nothing new, so that there may be nothing more to find."""
        if self._fruitless < FRUITLESS or self.limits.candidates is not None:
            return False
        if not self._asked:
            raise HarnessError(self.budgets.hopeless(self.candidates))
        return True

    def _propose(self) -> Proposal | None:
        generator = np.random.default_rng(derive_seed("search", self._seed, len(self.candidates)))
        return self.algorithm.propose(generator, self.values)

    def _draw(self, proposal: Proposal) -> bool:
        """Note a candidate; returns whether it needs to be scored."""
        architecture = proposal.architecture
        exceeded, sizes = self.budgets.check(architecture)
        known = architecture in self._asked
        outcome = exceeded or (AGAIN if known else SCORED)
        candidate = Candidate(len(self.candidates), architecture, proposal.parent, outcome, sizes)
        self.candidates.append(candidate)
        self._fruitless = 0 if outcome == SCORED else self._fruitless + 1
        if exceeded:
            self.algorithm.rejected(architecture)
            return False
        self._on_their_way.append(candidate)
        self._asked.add(architecture)
        return not known

    def _enter(self, candidate: Candidate) -> None:
        scores = self._known[candidate.architecture]
        place = len(self.entered)
        if place == len(self._table):
            self._table = np.concatenate([self._table, np.empty_like(self._table)])
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._table[place] = [scores.get(name, np.nan) for name in self.objective.columns]
        self.entered.append(candidate.number)
        if self.objective.depends_on_pool:
            self._is_current = False
        else:
            self._values[place] = self._objective_of(self._table[place : place + 1])[0]
        self.algorithm.enter(candidate.architecture, self.values)
