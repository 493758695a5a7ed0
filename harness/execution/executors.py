"""Where units are computed: in this process, or in worker processes with one thread each.

An executor is any :class:`concurrent.futures.Executor`. Three things beyond that are used where an executor has them:

* an attribute ``window``, the number of units that it wants to have in hand;
* a method ``prepare``, called once with the :class:`~harness.execution.job.Job` before the first unit;
* :class:`WorkerDiedError` as the outcome of a unit that killed its worker, where the executor outlives it. One that
  does not raises :class:`concurrent.futures.BrokenExecutor`, as the standard library's do, and is made anew.
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


_WORKER = "harness-worker-"
"""How the names of worker processes begin."""

_RAN_THE_SCRIPT = 78
"""Exit code of a worker in which the script asked for a run while the worker was still starting."""


class _Worker(SpawnProcess):
    """A worker process, which the pool that it belongs to can still end, although it hears no polite request."""

    def start(self) -> None:
        """Start it; what came from standard input has no file that could be run again, and is not looked for."""
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
        """End it at once."""
        self.kill()


class _Spawning(SpawnContext):
    """Makes the processes and semaphores of one pool, and remembers them."""

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
    """The standard library's pool without moments at which a signal or a dying process spoils it.

    Ctrl-C while a worker is being started would leave processes that the pool knows nothing of, and the interpreter
    waits for them before it ends. And a worker that dies while another is being started would break the pool before
    that one belongs to it; so all are started before the first task.
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
            UnguardedScriptError: if a worker ended because the script asked for a run in it.
        """
        with uninterrupted():
            self._remind_tracker()
        super().shutdown(wait, cancel_futures=cancel_futures)
        if _RAN_THE_SCRIPT in self._exit_codes():
            raise _unguarded()

    @property
    def start_failure(self) -> int | None:
        """The exit code of a worker that ended by itself, killed by no signal; None if there was none."""
        return next((code for code in self._exit_codes() if code is not None and code > 0), None)

    def _exit_codes(self) -> list[int | None]:
        return [worker.exitcode for worker in self._spawning.workers if worker.pid is not None]

    def _remind_tracker(self) -> None:
        """Tell the process that cleans up after this one which semaphores the pool is about to remove.

        One that was killed has a successor that knows nothing of them, and would print a traceback for each.
        """
        if sys.platform == "win32":
            return
        with warnings.catch_warnings():
            # It warns that it had died and that semaphores may be left; these are removed.
            warnings.simplefilter("ignore", UserWarning)
            for name in self._spawning.semaphores:
                resource_tracker.register(name, "semaphore")
        self._spawning.semaphores.clear()


def spawned_workers(workers: int) -> ProcessPoolExecutor:
    """Worker processes started afresh (a forked process cannot use a GPU, nor torch's threads safely).

    Raises:
        UnguardedScriptError: in a process that is only just running the script again, to be a worker.
    """
    refuse_in_starting_worker(workers)
    return _Workers(workers)


def refuse_in_starting_worker(workers: int) -> None:
    """Go no further where a script asks for a run while it is run again to start a worker.

    One of our own workers ends without a word: the process that started it says why. To be called first, before
    anything takes time or touches a file.

    Args:
        workers: how many the run asks for. In a process that other code has started, a run without workers may go on.

    Raises:
        UnguardedScriptError: in a process that other code has started.
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
        f"worker processes begin by running {script} again, so its call of harness must "
        'stand under: if __name__ == "__main__": (or use workers=1)'
    )


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
