"""Ctrl-C: delay it in critical blocks, and distinguish it from errors that look the same."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay SIGINT and SIGTERM until the end of the block.

    The block must be short and must not hang. In threads other than the main one, which receive no signals from Python,
    this does nothing.
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
            # None is a handler that was not set from Python, so Python cannot restore it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        # Also if the block failed, since code that handles the failure must still stop.
        for signalled in came:
            signal.raise_signal(signalled)


@contextmanager
def stops_noted() -> Iterator[list[BaseException]]:
    """Record the exceptions that SIGINT and SIGTERM raise in the block; yields the list of them.

    This distinguishes Ctrl-C from a ``KeyboardInterrupt`` raised by other code, and detects a Ctrl-C that other code
    suppresses. Signal handlers work as usual.
    """
    came: list[BaseException] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        handler = handlers[signal.Signals(number)]
        assert callable(handler)
        try:
            handler(number, frame)
        except BaseException as error:
            came.append(error)
            raise

    noted = [number for number, handler in handlers.items() if callable(handler)]
    try:
        for number in noted:
            signal.signal(number, note)
        yield came
    finally:
        for number in noted:
            signal.signal(number, handlers[number])


def is_interrupt(error: BaseException) -> bool:
    """Whether an error is a ``KeyboardInterrupt``, or was raised in its place.

    Compiled extensions that are interrupted while they are imported raise an ``ImportError`` whose cause it is.

    >>> try:
    ...     raise ImportError("initialization failed") from KeyboardInterrupt()
    ... except ImportError as error:
    ...     is_interrupt(error)
    True
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause is not None
