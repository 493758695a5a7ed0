"""The progress of a run as log lines, for output that is not a terminal, or as a bar in a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from harness._utils.console import say

if TYPE_CHECKING:
    from harness.execution.runner import Progress
    from harness.store.records import UnitResult

FIRST, MOST, GROWTH = 10.0, 300.0, 1.5
"""Seconds before the second line, the maximum between two lines, and the growth factor of the pauses."""


REDRAWN = 0.5
"""Seconds between two states of a bar."""


class ProgressLines:
    """Writes a line at the start and the end, and with growing pauses in between; pass it as ``progress`` of a run.

    A run that has nothing to compute writes nothing.

    Args:
        write: called with each line; default: write to stderr and flush.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self, write: Callable[[str], object] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write or partial(say, err=True)
        self._clock = clock
        self._failed = 0
        self._first: int | None = None
        self._began = self._last = 0.0
        self._pause = FIRST

    def stored(self, results: Sequence[UnitResult]) -> None:
        """Count failed outcomes; called with the results that a run has stored."""
        self._failed += sum(score.status == "failed" for result in results for score in result.scores)

    def __call__(self, done: int, total: int) -> None:
        """Write a line if one is due; called with the number of finished networks and the total."""
        now = self._clock()
        if self._first is None:
            self._first, self._began, self._last = done, now, now
            if done < total:
                self._write(f"{done:,} of {total:,} networks" + (" already done" if done else ""))
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


class NotebookBar(ProgressLines):
    """A bar in the output of a notebook's cell, with rate and time left; pass it as ``progress`` of a run.

    It needs no widgets. :func:`harness.run` uses it in notebooks.

    Args:
        clock: a monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self._display = import_module("IPython.display")
        self._shown: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Draw or update the bar if that is due; called with the number of finished networks and the total."""
        now = self._clock()
        if self._first is None:
            self._first, self._began, self._last = done, now, now
            if done < total:
                self._draw(done, total, f"{done:,} of {total:,} networks")
        elif done > self._first and (now - self._last >= REDRAWN or done == total):
            self._last = now
            self._draw(done, total, self._line(done, total, (done - self._first) / max(now - self._began, 1e-3)))

    def _draw(self, done: int, total: int, words: str) -> None:
        bar = self._display.HTML(f'<progress value="{done}" max="{total}"></progress> {escape(words)}')
        if self._shown is None:
            self._shown = self._display.display(bar, display_id=True)
        else:
            self._shown.update(bar)


def chosen_progress(given: Progress | Literal[False] | None) -> Progress | None:
    """The given progress; by default a bar in a notebook and nothing elsewhere; False: nothing."""
    if given is None and in_notebook():
        return NotebookBar()
    return given or None


def in_notebook() -> bool:
    """Whether a notebook runs this process: IPython with a kernel, not its terminal."""
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def duration(seconds: float) -> str:
    """Format a duration with its one or two largest units.

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
    """Format a rate with a suitable unit of time.

    >>> _rate(12.3), _rate(0.67), _rate(0.004)
    ('12 per second', '0.67 per second', '0.24 per minute')
    """
    number, unit = per_second, "second"
    if number < 0.1:
        number, unit = 60 * per_second, "minute"
    if number < 0.1:
        number, unit = 3600 * per_second, "hour"
    return f"{number:,.0f} per {unit}" if number >= 10 else f"{number:.2g} per {unit}"
