"""A time limit for a unit, which also ends code that Python cannot interrupt."""

from __future__ import annotations

import faulthandler
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LEAST_GRACE, MOST_GRACE = 1.0, 30.0
"""Seconds between interrupting a unit and ending its process: its time limit, within these bounds."""


class OutOfTimeError(Exception):
    """The unit has exceeded its time limit."""


class Deadline:
    """The time limit of one unit. Code that may be interrupted runs in :meth:`interruptible` blocks.

    When the time is up, a block raises :class:`OutOfTimeError`, and so do all later blocks. A worker process that does
    not return to Python is ended after a grace period; its network then counts as one that kills its worker. In threads
    other than the main one, which receive no signals, only this applies.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.expired = False
        self._may_interrupt = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the timer during the block."""
        if self.seconds is None:
            yield
            return
        here = threading.current_thread() is threading.main_thread()
        # The main process of the run must survive a unit that hangs in it; then only Ctrl-C helps.
        may_be_ended = multiprocessing.parent_process() is not None or not here
        if may_be_ended:
            grace = min(max(self.seconds, LEAST_GRACE), MOST_GRACE)
            faulthandler.dump_traceback_later(self.seconds + grace, exit=True)
        if here:
            before = signal.signal(signal.SIGALRM, self._expire)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        finally:
            if here:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
            if may_be_ended:
                faulthandler.cancel_dump_traceback_later()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that ends when the time is up.

        Raises:
            OutOfTimeError: if the time is up, before or during the block.
        """
        if self.expired:
            raise OutOfTimeError(
                f"not started: the time limit of {self.seconds:g} seconds per network was already reached"
            )
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def _expire(self, signum: int, frame: FrameType | None) -> None:
        self.expired = True
        if self._may_interrupt:
            raise OutOfTimeError(f"exceeded the time limit of {self.seconds:g} seconds per network")
