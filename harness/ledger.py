"""Who computed what, how long it took, and what it would have cost alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Entry:
    """One timed computation: its exclusive time and the computations it used directly."""

    seconds: float = 0.0
    uses: set[Hashable] = field(default_factory=set)


class Ledger:
    """Times nested computations and remembers which used which.

    A computation's exclusive time leaves out the computations it started. A cached result that is used again costs
    nothing, but the use is noted, so that the stand-alone cost of each user can be told afterwards.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._entries: dict[Hashable, _Entry] = {}
        self._open: list[Hashable] = []
        self._since = 0.0

    @contextmanager
    def measure(self, key: Hashable) -> Iterator[None]:
        """Time a computation; nested measurements are taken out of its time."""
        self.note_use(key)
        self._entries.setdefault(key, _Entry())
        self._switch()
        self._open.append(key)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def note_use(self, key: Hashable) -> None:
        """Remember that the computation being timed uses another one."""
        if self._open:
            self._entries[self._open[-1]].uses.add(key)

    def exclusive(self, key: Hashable) -> float:
        """Seconds spent in one computation itself, without those it used; 0 for one that never ran."""
        return self._entries[key].seconds if key in self._entries else 0.0

    def total(self) -> float:
        """Seconds of everything that was measured."""
        return sum(entry.seconds for entry in self._entries.values())

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
            self._entries[self._open[-1]].seconds += now - self._since
        self._since = now
