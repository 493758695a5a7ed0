"""The progress of a run as lines of a log, where the output is not a terminal that could show a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.store.records import UnitResult

FIRST, MOST, GROWTH = 10.0, 300.0, 1.5
"""Seconds to the second line, the most between two, and how much longer each pause is than the one before."""


class ProgressLines:
    """Writes a line at the start, then more and more seldom, and at the end; give it to a run as its ``progress``.

    A run that has nothing to compute writes nothing.

    Args:
        write: what a line is given to; to the error stream, at once, unless given.
        clock: seconds that never go back.
    """

    def __init__(
        self, write: Callable[[str], object] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write or _to_stderr
        self._clock = clock
        self._failed = 0
        self._first: int | None = None
        self._began = self._last = 0.0
        self._pause = FIRST

    def stored(self, results: Sequence[UnitResult]) -> None:
        """Hears of the outcomes that a run has stored, to count those that failed."""
        self._failed += sum(score.status == "failed" for result in results for score in result.scores)

    def __call__(self, done: int, total: int) -> None:
        """Hears how many networks are done, of how many; writes a line if one is due."""
        now = self._clock()
        if self._first is None:
            self._first, self._began, self._last = done, now, now
            if done < total:
                self._write(f"{done:,} of {total:,} networks" + (", those there already" if done else ""))
        elif done > self._first and (now - self._last >= self._pause or done == total):
            if now - self._last >= self._pause:
                self._pause = min(MOST, self._pause * GROWTH)
            self._last = now
            self._write(self._line(done, total, (done - self._first) / max(now - self._began, 1e-3)))

    def _line(self, done: int, total: int, rate: float) -> str:
        parts = [f"{done:,} of {total:,} networks", _rate(rate)]
        if done < total:
            parts.append(f"about {duration((total - done) / rate)} left")
        if self._failed:
            parts.append(f"{self._failed:,} failed outcome{'s' if self._failed > 1 else ''}")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time with the two largest units that matter.

    >>> duration(7.2), duration(1320), duration(11400), duration(200_000)
    ('7 s', '22 min', '3 h 10 min', '2 d 7 h')
    """
    if seconds < 99.5:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def _rate(per_second: float) -> str:
    """How fast it goes, with a unit that leaves digits before the point.

    >>> _rate(12.3), _rate(0.67), _rate(0.004)
    ('12 a second', '0.67 a second', '0.24 a minute')
    """
    for number, unit in ((per_second, "a second"), (60 * per_second, "a minute"), (3600 * per_second, "an hour")):
        if number >= 0.1 or unit == "an hour":
            return f"{number:,.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"
    raise AssertionError


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
