"""Run a plan: compute the units that the store lacks on an executor, and commit each outcome as it arrives."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness._utils.machine import processor_name
from harness.errors import DataError, HarnessError
from harness.execution.clocks import clock_of
from harness.execution.equivalence import missing_units, networks, shared_out
from harness.execution.executors import InlineExecutor, WorkerDiedError, spawned_workers
from harness.execution.job import Job
from harness.execution.plan import Plan
from harness.execution.unit import compute_unit, failed_unit
from harness.images.batches import BATCHES_FILE, read_batches, write_batches
from harness.networks.initialisation import name_of
from harness.registry import check_importable, is_registered, reference
from harness.registry.by_file import source_digest
from harness.registry.own_benchmarks import (
    OWN_BENCHMARK,
    benchmark_facts,
    code_digest,
    is_registered_benchmark,
    reference_for_workers,
)
from harness.store import Store
from harness.store.records import Unit, UnitResult
from harness.store.seeds import seed_directory
from harness.store.sqlite import FILE_NAME, explained

WINDOW = 2
"""Units in flight per worker: one being computed and one waiting, so that no worker is idle."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunSummary:
    """The result of :func:`run`.

    Attributes:
        directory: the directory of the scores.
        units: number of networks that the plan computes.
        done: number of these networks with stored scores.
        computed: number of networks computed by this call; the others were already stored.
        interrupted: whether it was stopped before the end.
    """

    directory: Path
    units: int
    done: int
    computed: int
    interrupted: bool


def run_seeds(
    plans: Sequence[Plan], directory: Path, *, progress: Progress | None = None, **options: Any
) -> RunSummary:
    """Run the plans of one or more seeds, one after the other; all but the first in directories of their own.

    Args:
        plans: one for each seed.
        directory: the directory of the first; see :mod:`harness.store.seeds` for the others.
        progress: called as by :func:`run`, with the numbers of units of all seeds.
        options: further arguments of :func:`run`.

    Raises:
        StoreError: as :func:`run`, before anything is computed if it is the store of a later seed; also HarnessError.
    """
    places = [directory, *(seed_directory(directory, plan.setting.seed) for plan in plans[1:])]
    done = [0] * len(plans)
    for number in range(1, len(plans)):
        # Before the first seed is computed, which may take hours.
        done[number] = _stored(plans[number], places[number], **options)
    total = sum(map(networks, plans))
    shown = progress and _OfAllSeeds(progress, total)
    computed = 0
    for number, (plan, place) in enumerate(zip(plans, places, strict=True)):
        if shown:
            shown.elsewhere = sum(done) - done[number]
        summary = run(plan, place, progress=shown, **options)
        done[number], computed = summary.done, computed + summary.computed
        if summary.interrupted:
            break
    return RunSummary(directory, total, sum(done), computed, summary.interrupted)


def _stored(
    plan: Plan,
    directory: Path,
    *,
    retry_failed: bool = False,
    say: Callable[[str], None] | None = None,
    **_: Any,
) -> int:
    """The number of networks that are stored in a directory; its store is checked and repaired as by :func:`run`."""
    if not (directory / FILE_NAME).exists():
        return 0
    with opened(plan, directory, retry_failed, say) as store:
        return networks(plan) - _count(missing_units(plan, store))


class _OfAllSeeds:
    """The progress of one seed as that of all; ``elsewhere`` is the number of networks that the others have stored."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._shown = -1
        self.elsewhere = 0
        self.stored = getattr(progress, "stored", None)

    def __call__(self, done: int, total: int) -> None:
        # The start of a seed is the end of the one before it.
        if self.elsewhere + done != self._shown:
            self._shown = self.elsewhere + done
            self._progress(self._shown, self._total)


def run(
    plan: Plan,
    directory: Path | str,
    *,
    workers: int = 1,
    executor: Callable[[], Executor] | None = None,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> RunSummary:
    """Compute everything in the plan that the store of the directory lacks.

    A run that was interrupted and resumed ends with the same scores, bit for bit, as an uninterrupted run, wherever it
    is computed. :class:`~harness.execution.options.RunOptions` describes the options. If ``progress`` has a method
    ``stored``, such as :class:`~harness.execution.progress.ProgressLines`, that is called with the stored results.
    ``say`` is called with each note on repairs of the store, before anything is computed.

    Raises:
        StoreError: if the store belongs to another setting, or cannot be written.
        HarnessError: if the memory limit cannot be set, or a worker needs more before it computes anything.
    """
    if memory_limit is not None and plan.setting.device != "cpu":
        raise HarnessError("a memory limit only applies to the CPU; omit --memory-limit on a GPU")
    if workers < 1:
        raise HarnessError(f"invalid number of workers {workers}; use 1 or more")
    make = executor or (InlineExecutor if workers == 1 else lambda: spawned_workers(workers))
    with opened(plan, Path(directory), retry_failed, say) as store:
        job = job_of(plan, store, make is not InlineExecutor, time_limit, memory_limit)
        total = networks(plan)
        before = total - _count(missing_units(plan, store))
        versions = {proxy.name: proxy.version for proxy in plan.proxies}
        dispatcher = Dispatcher(job, versions, make, window=WINDOW * workers)
        computed = 0
        hear = getattr(progress, "stored", None)

        def keep(results: Iterator[UnitResult]) -> None:
            nonlocal computed
            for shared in shared_out(plan, results):
                store.add(*shared)
                if hear:
                    hear(shared)
                computed += 1
                if progress:
                    progress(before + computed, total)

        if progress:
            progress(before, total)
        interrupted = False
        try:
            keep(dispatcher.compute(missing_units(plan, store)))
        except KeyboardInterrupt:
            interrupted = True
            keep(dispatcher.finish())
        finally:
            dispatcher.close()
        if interrupted:
            # The interrupt may have come after a unit was stored and before it was counted.
            computed = total - _count(missing_units(plan, store)) - before
        return RunSummary(store.directory, total, before + computed, computed, interrupted)


def opened(plan: Plan, directory: Path, retry_failed: bool, say: Callable[[str], None] | None) -> Store:
    """The store of a plan, for writing, without failed outcomes if they are to be retried."""
    store = Store.create_or_open(directory, plan.setting, plan.proxies, _facts(plan))
    if say is not None:
        for note in store.notes:
            say(note)
    if retry_failed:
        store.forget_failed()
    return store


class Dispatcher:
    """Keeps a bounded number of units in flight, and recovers from dead workers."""

    ATTEMPTS_ALONE = 2
    STARTS = 5

    def __init__(self, job: Job, versions: dict[str, int], make: Callable[[], Executor], window: int) -> None:
        self._job = job
        self._versions = versions
        self._make = make
        self._window = window
        self._executor: Executor | None = None
        self._in_flight: dict[Future[UnitResult], Unit] = {}

    def compute(self, units: Iterator[Unit]) -> Iterator[UnitResult]:
        """Yield one result per unit, in any order."""
        while True:
            suspects: list[Unit] = []
            for unit in units:
                suspects += self._submit(unit)
                if suspects or len(self._in_flight) >= getattr(self._executor, "window", self._window):
                    break
            if not self._in_flight and not suspects:
                return
            for future in wait(self._in_flight, return_when=FIRST_COMPLETED).done if self._in_flight else ():
                unit = self._in_flight.pop(future)
                try:
                    yield future.result()
                except WorkerDiedError as error:
                    yield failed_unit(unit, self._versions, str(error))
                except BrokenExecutor:
                    suspects.append(unit)
            if suspects:
                yield from self._compute_alone(suspects)

    def finish(self) -> Iterator[UnitResult]:
        """Yield the results of the started units, and start no others.

        The executor cancels waiting units. If they were cancelled here and a pool broke at that moment, the thread that
        watches its workers would fail (in Python 3.11), and they would never be ended.
        """
        futures, self._in_flight = list(self._in_flight), {}
        self.close()
        for future in futures:
            if future.done() and not future.cancelled() and future.exception() is None:
                yield future.result()

    def close(self) -> None:
        """Shut down the executor: wait for started units, and cancel waiting ones."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> Executor:
        if self._executor is None:
            self._executor = self._make()
            if hasattr(self._executor, "prepare"):
                self._job = self._executor.prepare(self._job)
        return self._executor

    def _submit(self, unit: Unit) -> list[Unit]:
        """Submit a unit; returns it if the executor is broken."""
        try:
            self._in_flight[self._start().submit(compute_unit, self._job, unit)] = unit
        except BrokenExecutor:
            return [unit]
        return []

    def _compute_alone(self, suspects: list[Unit]) -> Iterator[UnitResult]:
        """Recover after a worker died: unfinished units in flight are lost, and one of them may be the cause.

        Each is retried with nothing else in flight. A unit that kills its worker again has failed; the others were
        not the cause.
        """
        for future, unit in list(self._in_flight.items()):
            if future.done() and future.exception() is None:
                yield future.result()
            else:
                suspects.append(unit)
        self._in_flight.clear()
        self.close()
        for unit in suspects:
            for _ in range(self.ATTEMPTS_ALONE):
                self._wait_for_workers()
                if self._submit(unit):
                    self.close()
                    continue
                (future,) = self._in_flight
                try:
                    result = future.result()
                except BrokenExecutor:
                    self._in_flight.clear()
                    self.close()
                else:
                    self._in_flight.clear()
                    yield result
                    break
            else:
                attempts = self.ATTEMPTS_ALONE + 1
                yield failed_unit(unit, self._versions, f"the worker process died {attempts} times on this network")

    def _wait_for_workers(self) -> None:
        """Wait for a worker's first answer, so that no network is blamed for a worker that dies while it starts.

        Raises:
            HarnessError: if workers die repeatedly before they get a network, or one exits by itself.
        """
        for _ in range(self.STARTS):
            executor = self._start()
            try:
                executor.submit(_answer).result()
            except BrokenExecutor:
                self.close()
            else:
                return
            code = getattr(executor, "start_failure", None)
            if code is not None:
                raise HarnessError(
                    f"worker processes cannot start: one ended with exit code {code}; see its output above. Workers "
                    'run the script again, so put its main code under: if __name__ == "__main__":'
                )
        raise HarnessError(
            f"worker processes died {self.STARTS} times in a row before they computed anything; is there enough "
            'memory? A script that uses workers must start the run under: if __name__ == "__main__":'
        )


def _answer() -> None:
    """A no-op that shows that a worker has started."""


def _count(units: Iterator[Unit]) -> int:
    return sum(1 for _ in units)


def job_of(plan: Plan, store: Store, elsewhere: bool, time_limit: float | None, memory_limit: int | None) -> Job:
    """The common part of all units, with the mini-batches in a file next to the scores."""
    registered = is_registered_benchmark(plan.benchmark)
    for proxy in plan.proxies:
        check_importable(proxy, elsewhere)
    path = store.directory / BATCHES_FILE
    try:
        read_batches(path, plan.setting.fingerprint)
    except DataError:
        with explained(store.directory):
            write_batches(path, plan.batches)
    return Job(
        benchmark=reference_for_workers(plan.benchmark) if elsewhere else plan.benchmark,
        dataset=plan.setting.dataset,
        seed=plan.setting.seed,
        proxies=tuple(map(reference, plan.proxies)),
        sources=tuple((proxy.name, source_digest(proxy)) for proxy in plan.proxies if not is_registered(proxy)),
        batches=str(path.resolve()),
        fingerprint=plan.setting.fingerprint,
        device=plan.setting.device,
        init=name_of(plan.setting.initialisation),
        torch=plan.setting.torch,
        time_limit=time_limit,
        memory_limit=memory_limit,
        contents=None if registered else (code_digest(plan.benchmark), plan.benchmark.contents),
    )


def _facts(plan: Plan) -> dict[str, Any]:
    """Further facts about the run, for the manifest."""
    own = benchmark_facts(plan.benchmark)
    packages = ("nas-proxy-harness", "torch", "numpy", "pandas", "scipy", "scikit-learn", "nats_bench")
    versions = {package: version(package) for package in packages}
    for package in plan.benchmark.libraries:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "clock": clock_of(plan.setting.device),
        "packages": versions,
        **({OWN_BENCHMARK: own} if own else {}),
    }
