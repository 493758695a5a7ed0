"""Ctrl-C: moments at which it must wait, and knowing it from an error that only looks like it."""

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


@contextmanager
def stops_noted() -> Iterator[list[BaseException]]:
    """A block that knows what SIGINT and SIGTERM have raised in it; yields these errors as they come.

    So a ``KeyboardInterrupt`` that the code of others raises is told from Ctrl-C, and a Ctrl-C that such code swallows
    is not lost. Handlers do what they always do.
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
