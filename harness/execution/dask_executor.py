"""An executor that computes units on a Dask cluster.

Start the scheduler and the workers first, each worker with one thread::

    dask scheduler --scheduler-file cluster.json
    dask worker --scheduler-file cluster.json --nworkers 8 --nthreads 1
    harness run … --executor dask --scheduler cluster.json

Workers only need this package, the benchmark's package and the same version of torch: no image files, no ground truth,
no shared file system. The file of a benchmark or proxy outside any package, and what that file reads, must have the
same path on every machine. Only the run's process writes scores. If a worker dies, its units are retried on another
worker; a unit that kills several workers has failed.
"""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from harness.errors import HarnessError
from harness.execution.executors import WorkerDiedError
from harness.registry import from_anywhere

if TYPE_CHECKING:
    from harness.execution.job import Job

P = ParamSpec("P")
R = TypeVar("R")

IN_HAND = 4
"""Units in flight per worker; more than for local processes, since a cluster has higher latency."""

FEWEST_IN_HAND = 8

FRESH = 1.0
"""Seconds for which the number of workers is cached; each query is a round trip to the scheduler."""

PATIENCE = "30s"
ATTEMPTS = 5
"""How often a unit is sent if its outcome is lost after it was computed."""

_GONE = "lost connection to the Dask scheduler; repeat the command to resume, with this or another scheduler"


class DaskExecutor(Executor):
    """The workers of a Dask cluster, including those that join later.

    Args:
        scheduler: the address, such as ``tcp://10.0.0.1:8786``, or the file that the scheduler wrote.
        gpus: GPUs per unit; workers offer them with ``--resources GPU=1``.

    Raises:
        HarnessError: if Dask is not installed, the scheduler does not respond, or a worker has several threads.
    """

    def __init__(self, scheduler: str, gpus: int = 0) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise HarnessError(
                "Dask is not installed; install it with: pip install 'nas-proxy-harness[dask]'"
            ) from None
        where: dict[str, Any] = {"address": scheduler} if "://" in scheduler else {"scheduler_file": scheduler}
        if "scheduler_file" in where and not Path(scheduler).is_file():
            raise HarnessError(
                f"no scheduler file '{scheduler}'; give the file that 'dask scheduler --scheduler-file' wrote, or an "
                "address such as tcp://10.0.0.1:8786"
            )
        try:
            self._client: Any = Client(**where, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise HarnessError(
                f"no response from a Dask scheduler at '{scheduler}' ({error}); is it running?"
            ) from error
        self._check_threads()
        self._window, self._asked = FEWEST_IN_HAND, -math.inf
        self._resources = {"GPU": gpus} if gpus else None
        self._in_hand: set[Future[Any]] = set()

    @property
    def window(self) -> int:
        """The number of units to keep in flight for the current workers."""
        if time.monotonic() > self._asked + FRESH:
            with _scheduler_may_go():
                threads = sum(int(worker["nthreads"]) for worker in self._workers().values())
            self._window, self._asked = max(FEWEST_IN_HAND, IN_HAND * threads), time.monotonic()
        return self._window

    def prepare(self, job: Job) -> Job:
        """Send the run's mini-batches to every worker, including those that join later; returns the job for them."""
        from harness.execution.dask_plugin import BatchesPlugin

        content = Path(job.batches).read_bytes()
        with _scheduler_may_go():
            self._client.register_plugin(BatchesPlugin(job.fingerprint, content))
        # The main program of these workers is Dask's.
        benchmark = from_anywhere(job.benchmark) if isinstance(job.benchmark, str) else job.benchmark
        return replace(job, benchmark=benchmark, proxies=tuple(map(from_anywhere, job.proxies)))

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Submit a call to one of the workers."""
        ours: Future[R] = Future()
        # When a run is stopped, units in flight are finished and stored, never cancelled.
        ours.set_running_or_notify_cancel()
        self._in_hand.add(ours)
        ours.add_done_callback(self._in_hand.discard)
        self._send(functools.partial(fn, *args, **kwargs), ours, ATTEMPTS)
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the cluster, which keeps running; units in flight finish first, if the scheduler is alive."""
        try:
            if wait and self._client.status == "running":
                wait_for(list(self._in_hand))
        finally:
            self._client.close()

    def _send(self, call: Callable[[], R], ours: Future[R], attempts: int) -> None:
        with _scheduler_may_go():
            theirs = self._client.submit(call, pure=False, resources=self._resources)
        theirs.add_done_callback(lambda done: self._settle(done, call, ours, attempts))

    def _settle(self, theirs: Any, call: Callable[[], R], ours: Future[R], attempts: int) -> None:
        """Fetch an outcome and pass it on; send the unit again if the outcome was lost with its worker."""
        try:
            ours.set_result(theirs.result(timeout=PATIENCE))
        except (CancelledError, asyncio.CancelledError, OSError, TimeoutError) as error:
            gone = getattr(error, "reason", "") == "scheduler-connection-lost" or self._client.status != "running"
            if gone or attempts == 1:
                ours.set_exception(HarnessError(_GONE))
                return
            try:
                self._send(call, ours, attempts - 1)
            except HarnessError as refusal:
                ours.set_exception(refusal)
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                deaths = getattr(error, "allowed_failures", 3) + 1
                error = WorkerDiedError(f"the worker process died {deaths} times on this network")
            ours.set_exception(error)

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _check_threads(self) -> None:
        for address, worker in self._workers().items():
            if worker["nthreads"] != 1:
                self._client.close()
                raise HarnessError(
                    f"the Dask worker {address} has {worker['nthreads']} threads, but needs exactly one; start workers "
                    "with --nthreads 1, and set their number with --nworkers"
                )


@contextmanager
def _scheduler_may_go() -> Iterator[None]:
    try:
        yield
    # Dask raises a RuntimeError if its client is closed.
    except (OSError, RuntimeError) as error:
        raise HarnessError(_GONE) from error
