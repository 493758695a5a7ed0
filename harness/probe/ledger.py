"""Which computation used which, how long each took, and what it would have cost alone."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Clock = Callable[[], Any]
"""Returns the current time, in seconds or in any other form."""

Between = Callable[[Any, Any], float]
"""Seconds between two times, given as (later, earlier)."""


@dataclass
class _Entry:
    """One timed computation: when it ran, excluding nested computations, and the computations it used directly."""

    spans: list[tuple[Any, Any]] = field(default_factory=list)
    uses: set[Hashable] = field(default_factory=set)


class Ledger:
    """Times nested computations and records which used which.

    The exclusive time of a computation excludes the computations that it started. Using a cached result again costs
    nothing, but is recorded, so that the stand-alone cost of each user can be computed afterwards.

    Args:
        clock: returns the current time. It is called only when a computation starts or ends, so it may instead mark a
            place in a queue of asynchronous work.
        between: returns the seconds between two such times; called only when times are requested.
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
        """Time a computation; nested measurements are excluded from its time."""
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
        """From now on, the time of a repeated computation replaces its earlier time instead of adding to it."""
        self._outdated = set(self._entries)

    def note_use(self, key: Hashable) -> None:
        """Record that the running computation uses another one."""
        if self._open:
            self._entries[self._open[-1]].uses.add(key)

    def exclusive(self, key: Hashable) -> float:
        """Seconds spent in one computation itself, without those it used; 0 if it never ran."""
        spans = self._entries[key].spans if key in self._entries else []
        return sum((self._between(end, start) for start, end in spans), 0.0)

    def total(self) -> float:
        """Total seconds of all measured computations."""
        return sum(map(self.exclusive, self._entries))

    def standalone(self, key: Hashable) -> float:
        """Seconds that the computation would take if nothing that it uses were cached."""
        return sum(self.exclusive(used) for used in self._closure(key))

    def marginal(self, key: Hashable, others: Collection[Hashable]) -> float:
        """Seconds that omitting this computation would save if the others are still computed."""
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
