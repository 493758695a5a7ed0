"""Where units are computed: in this process, or in worker processes with one thread each.

An executor is any :class:`concurrent.futures.Executor`. Three things beyond that are used where an executor has them:

* an attribute ``window``, the number of units that it wants to have in hand;
* a method ``prepare``, called once with the :class:`~harness.execution.unit.Job` before the first unit;
* :class:`WorkerDiedError` as the outcome of a unit that killed its worker, where the executor outlives it. One that
  does not raises :class:`concurrent.futures.BrokenExecutor`, as the standard library's do, and is made anew.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, ParamSpec, TypeVar

from harness.execution.limits.memory import keep_freed_memory
from harness.execution.limits.signals import uninterrupted

P = ParamSpec("P")
R = TypeVar("R")


class WorkerDiedError(RuntimeError):
    """The worker that computed a unit died, again and again, and the executor goes on without the unit."""


class InlineExecutor(Executor):
    """Computes each task at once in the calling process; for one worker, for tests and for debugging."""

    window = 1

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The finished future of the call."""
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Worker(SpawnProcess):
    """A worker process, which the pool that it belongs to can still end, although it hears no polite request."""

    def terminate(self) -> None:
        """End it at once."""
        self.kill()


class _Spawning(SpawnContext):
    Process = _Worker


class _Workers(ProcessPoolExecutor):
    """The standard library's pool without two moments at which a signal or a dying worker leaves it waiting for ever.

    Ctrl-C while a worker is being started would leave processes that the pool knows nothing of, and the interpreter
    waits for them before it ends. And a worker that dies while another is being started would break the pool before
    that one belongs to it; so all are started before the first task.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(workers, mp_context=_Spawning(), initializer=_start_worker)
        self._safe_to_dynamically_spawn_children = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The future of the call."""
        with uninterrupted():
            return super().submit(fn, *args, **kwargs)


def spawned_workers(workers: int) -> ProcessPoolExecutor:
    """Worker processes started afresh (a forked process cannot use a GPU, nor torch's threads safely)."""
    return _Workers(workers)


def _start_worker() -> None:
    # Ctrl-C reaches every process of the terminal, and Slurm's SIGTERM may reach every process of the job; the parent
    # decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()
    parent: Any = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: multiprocessing.Process) -> None:
    """End this worker as soon as its parent is gone, also when the parent was killed."""
    parent.join()
    os._exit(1)
