"""Moments at which Ctrl-C must wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that is never left half done by SIGINT or SIGTERM; one that comes meanwhile takes effect after it.

    It must be short, and do nothing that may hang. In a thread other than the main one, where Python delivers no
    signals, there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number))

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in handlers:
            signal.signal(number, note)
        yield
    finally:
        for number, handler in handlers.items():
            # None is a handler that was not set from Python, which could not be put back by it either.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        # Also where the block failed: whoever deals with that must not go on as if nobody had asked it to stop.
        for signalled in came:
            signal.raise_signal(signalled)
