"""Executors: compute units in this process, or in worker processes with one thread each.

An executor is any :class:`concurrent.futures.Executor`. It can optionally have:

* an attribute ``window``, the number of units to keep in flight;
* a method ``prepare``, called once with the :class:`~harness.execution.job.Job` before the first unit;
* :class:`WorkerDiedError` as the outcome of a unit that killed its worker, if the executor survives it. Otherwise it
  raises :class:`concurrent.futures.BrokenExecutor`, like those of the standard library, and is created again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.synchronize import BoundedSemaphore, Lock, Semaphore
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from harness._utils.signals import uninterrupted
from harness.errors import UnguardedScriptError
from harness.execution.limits.memory import keep_freed_memory
from harness.registry import main_can_be_run_again

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", Lock, Semaphore, BoundedSemaphore)


class WorkerDiedError(RuntimeError):
    """The workers of a unit died repeatedly, and the executor continues without the unit."""


class InlineExecutor(Executor):
    """Computes each task immediately in the calling process; for one worker, tests and debugging."""

    window = 1

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The finished future of the call."""
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


_WORKER = "harness-worker-"
"""The prefix of the names of worker processes."""

_RAN_THE_SCRIPT = 78
"""Exit code of a worker in which the script started a run while the worker was still starting."""


class _Worker(SpawnProcess):
    """A worker process that its pool can end by force, since it ignores SIGTERM."""

    def start(self) -> None:
        """Start it; code from standard input has no file to run again, so none is looked for."""
        main = sys.modules["__main__"]
        if main_can_be_run_again() or not hasattr(main, "__file__"):
            super().start()
            return
        file = main.__file__
        del main.__file__
        try:
            super().start()
        finally:
            main.__file__ = file

    def terminate(self) -> None:
        """End it immediately."""
        self.kill()


class _Spawning(SpawnContext):
    """Creates the processes and semaphores of one pool, and keeps track of them."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[_Worker] = []
        self.semaphores: list[str] = []

    def Process(self, *args: Any, **kwargs: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        worker = _Worker(*args, **kwargs)
        worker.name = f"{_WORKER}{len(self.workers) + 1}"
        self.workers.append(worker)
        return worker

    def Lock(self) -> Lock:  # noqa: N802
        return self._remember(super().Lock())

    def Semaphore(self, value: int = 1) -> Semaphore:  # noqa: N802
        return self._remember(super().Semaphore(value))

    def BoundedSemaphore(self, value: int = 1) -> BoundedSemaphore:  # noqa: N802
        return self._remember(super().BoundedSemaphore(value))

    def _remember(self, made: S) -> S:
        name = made._semlock.name  # type: ignore[attr-defined]
        self.semaphores += [name] if name else []
        return made


class _Workers(ProcessPoolExecutor):
    """The standard library's pool, made safe against signals and dying processes while workers start.

    Ctrl-C while a worker starts would leave processes that the pool does not know, and the interpreter would wait for
    them at exit. A worker that dies while another one starts would break the pool before the new one is registered. So
    all workers are started before the first task.
    """

    def __init__(self, workers: int) -> None:
        self._spawning = _Spawning()
        super().__init__(workers, mp_context=self._spawning, initializer=_start_worker)
        self._safe_to_dynamically_spawn_children = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The future of the call."""
        with uninterrupted():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers.

        Raises:
            UnguardedScriptError: if a worker ended because the script started a run in it.
        """
        with uninterrupted():
            self._remind_tracker()
        super().shutdown(wait, cancel_futures=cancel_futures)
        if _RAN_THE_SCRIPT in self._exit_codes():
            raise _unguarded()

    @property
    def start_failure(self) -> int | None:
        """The exit code of a worker that exited without a signal; None if there was none."""
        return next((code for code in self._exit_codes() if code is not None and code > 0), None)

    def _exit_codes(self) -> list[int | None]:
        return [worker.exitcode for worker in self._spawning.workers if worker.pid is not None]

    def _remind_tracker(self) -> None:
        """Register the semaphores of the pool with the resource tracker before the pool removes them.

        If the tracker was killed, its successor does not know them and would print a traceback for each.
        """
        if sys.platform == "win32":
            return
        with warnings.catch_warnings():
            # It warns that it died and that semaphores may leak; these are removed.
            warnings.simplefilter("ignore", UserWarning)
            for name in self._spawning.semaphores:
                resource_tracker.register(name, "semaphore")
        self._spawning.semaphores.clear()


def spawned_workers(workers: int) -> ProcessPoolExecutor:
    """A pool of spawned worker processes (a forked process cannot safely use a GPU or torch's threads).

    Raises:
        UnguardedScriptError: in a process that is running the script again in order to become a worker.
    """
    refuse_in_starting_worker(workers)
    return _Workers(workers)


def refuse_in_starting_worker(workers: int) -> None:
    """Stop if a script starts a run while it is being run again to start a worker.

    A worker of this module exits silently, and the process that started it reports the reason. In a process started by
    other code, a run without workers may continue. Call this first, before anything slow or any file access.

    Raises:
        UnguardedScriptError: in a process started by other code.
    """
    process = multiprocessing.current_process()
    if not getattr(process, "_inheriting", False):
        return
    if process.name.startswith(_WORKER):
        os._exit(_RAN_THE_SCRIPT)
    if workers > 1:
        raise _unguarded()


def _unguarded() -> UnguardedScriptError:
    script = Path(getattr(sys.modules["__main__"], "__file__", "the script")).name
    return UnguardedScriptError(
        f"worker processes start by running {script} again, so put its call of harness under "
        'if __name__ == "__main__": (or use workers=1)'
    )


def _start_worker() -> None:
    # Ctrl-C reaches every process of the terminal, and Slurm's SIGTERM may reach every process of the job; only the
    # parent handles them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()
    parent: Any = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: multiprocessing.Process) -> None:
    """End this worker as soon as its parent has ended or was killed."""
    parent.join()
    os._exit(1)
