"""A limit on the time of a unit, which ends it even where Python is not asked."""

from __future__ import annotations

import faulthandler
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LEAST_GRACE, MOST_GRACE = 1.0, 30.0
"""Seconds between asking a unit to end and ending its process: as many as it had, within these bounds."""


class OutOfTimeError(Exception):
    """The unit's time is used up."""


class Deadline:
    """The time of one unit. Code that may be interrupted runs in :meth:`interruptible` blocks.

    A block is left with :class:`OutOfTimeError` when the time is up, and not entered any more afterwards. A worker
    process that does not come back to Python is ended after a while; its network is then treated as any that kills its
    worker. In a thread other than the main one, where signals do not arrive, there is only that.

    Args:
        seconds: None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.expired = False
        self._may_interrupt = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run for the length of the block."""
        if self.seconds is None:
            yield
            return
        here = threading.current_thread() is threading.main_thread()
        # The process of the run itself must outlive a unit that hangs in it; then only Ctrl-C helps.
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
            OutOfTimeError: if it is up, before or in the block.
        """
        if self.expired:
            raise OutOfTimeError(f"the {self.seconds:g} seconds of this network were used up before")
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def _expire(self, signum: int, frame: FrameType | None) -> None:
        self.expired = True
        if self._may_interrupt:
            raise OutOfTimeError(f"took longer than the {self.seconds:g} seconds that a network may take")
