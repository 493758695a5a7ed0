"""Who computed what, how long it took, and what it would have cost alone."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Clock = Callable[[], Any]
"""Tells the moment, as a number of seconds or in any other way."""

Between = Callable[[Any, Any], float]
"""The seconds from an earlier moment to a later one, given as (later, earlier)."""


@dataclass
class _Entry:
    """One timed computation: when it ran, without those it started, and the computations it used directly."""

    spans: list[tuple[Any, Any]] = field(default_factory=list)
    uses: set[Hashable] = field(default_factory=set)


class Ledger:
    """Times nested computations and remembers which used which.

    A computation's exclusive time leaves out the computations it started. A cached result that is used again costs
    nothing, but the use is noted, so that the stand-alone cost of each user can be told afterwards.

    Args:
        clock: tells the moment. It is asked only when a computation begins and ends, so it may mark the moment in a
            queue of work that goes on.
        between: the seconds between two such moments, asked for only when times are.
    """

    def __init__(self, clock: Clock = time.perf_counter, between: Between = operator.sub) -> None:
        self._clock = clock
        self._between = between
        self._entries: dict[Hashable, _Entry] = {}
        self._open: list[Hashable] = []
        self._outdated: set[Hashable] = set()
        self._since: Any = None

    @contextmanager
    def measure(self, key: Hashable) -> Iterator[None]:
        """Time a computation; nested measurements are taken out of its time."""
        self.note_use(key)
        entry = self._entries.setdefault(key, _Entry())
        self._switch()
        if key in self._outdated:
            self._outdated.remove(key)
            entry.spans.clear()
        self._open.append(key)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def measure_again(self) -> None:
        """From now on, let a computation that is made again count in the place of the first time, not beside it."""
        self._outdated = set(self._entries)

    def note_use(self, key: Hashable) -> None:
        """Remember that the computation being timed uses another one."""
        if self._open:
            self._entries[self._open[-1]].uses.add(key)

    def exclusive(self, key: Hashable) -> float:
        """Seconds spent in one computation itself, without those it used; 0 for one that never ran."""
        spans = self._entries[key].spans if key in self._entries else []
        return sum((self._between(end, start) for start, end in spans), 0.0)

    def total(self) -> float:
        """Seconds of everything that was measured."""
        return sum(map(self.exclusive, self._entries))

    def standalone(self, key: Hashable) -> float:
        """Seconds that the computation would take if nothing it uses were there already."""
        return sum(self.exclusive(used) for used in self._closure(key))

    def marginal(self, key: Hashable, others: Collection[Hashable]) -> float:
        """Seconds that leaving this computation out would save, given that the others are still wanted."""
        kept: set[Hashable] = set()
        for other in others:
            if other != key:
                kept |= self._closure(other)
        return sum(self.exclusive(used) for used in self._closure(key) - kept)

    def _closure(self, key: Hashable) -> set[Hashable]:
        found: set[Hashable] = set()
        waiting = [key]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self._entries[current].uses if current in self._entries else ()
        return found

    def _switch(self) -> None:
        now = self._clock()
        if self._open:
            self._entries[self._open[-1]].spans.append((self._since, now))
        self._since = now
