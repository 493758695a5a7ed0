"""The proxies' own costs: each proxy timed repeatedly by itself, on a few networks, in separate processes.

A run computes everything once, so the measured cost of a proxy that takes microseconds is mostly noise. Here each proxy
is called repeatedly, next to forward and backward passes timed in the same way, and the shortest time of each counts,
because other programs only add to it. The passes over the first mini-batch are cached. Everything else that a proxy
requests is computed in every call and counts as its own work, even if other proxies share it.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from harness._utils.machine import processor_name
from harness._utils.process_settings import one_thread
from harness.errors import HarnessError
from harness.execution.clocks import CLOCKS, clock_of
from harness.execution.executors import spawned_workers
from harness.execution.job import Job, benchmark_of, read_batches_of
from harness.execution.unit import make_probe
from harness.gate.costs import OwnCosts, Place, median_of
from harness.images.batches import BATCHES_FILE
from harness.networks.initialisation import name_of
from harness.probe import Probe
from harness.registry import proxies, reference, resolve, select_proxies
from harness.registry.by_file import OWN_PROXIES, source_digest
from harness.registry.own_benchmarks import reference_for_workers

if TYPE_CHECKING:
    from harness.contracts.proxy import Proxy
    from harness.results import OpenedRun

NETWORKS = 12
ROUNDS = 8
LEAST_ROUNDS = 3
SECONDS = 60.0
"""Time budget of all rounds; after it, a network gets only ``LEAST_ROUNDS``."""
BLOCK = 1e-3
"""Minimum seconds of a repetition, because the clock is too coarse for a single call."""


def representative(scores: pd.DataFrame, networks: int = NETWORKS) -> list[str]:
    """Evenly spaced architectures among those on which the most proxies have a score; all if there are fewer."""
    scored = (scores["status"] == "ok").groupby(scores["architecture"]).sum().sort_index()
    best = [str(name) for name in scored.index[scored == scored.max()]]
    return [best[index] for index in np.unique(np.linspace(0, len(best) - 1, networks).round().astype(int))]


def measure(
    run: OpenedRun, architectures: Sequence[str], *, own: Sequence[str | Proxy] = (), processes: int = 1
) -> OwnCosts:
    """Time the proxies of a run with their current code, on its mini-batches and some of its networks.

    Proxies that are neither registered nor in ``own`` are left out. See :func:`in_processes` for the processes.

    Raises:
        HarnessError: if the file of a custom proxy has changed since the run.
    """
    known = proxies() | {proxy.name: proxy for proxy in (select_proxies(own) if own else ())}
    wanted = [known[str(name)] for name in run.scores["proxy"].unique() if name in known]
    noted = run.manifest.get(OWN_PROXIES, {})
    for proxy in wanted:
        if proxy.name in noted and noted[proxy.name]["sha256"] != source_digest(proxy):
            raise HarnessError(
                f"the file of the proxy '{proxy.name}' has changed since the run {run.directory}, so its cost cannot "
                "be compared; run again with a new --out"
            )
    return in_processes(job_of(run, list(map(reference, wanted))), architectures, processes)


def job_of(run: OpenedRun, places: Sequence[str]) -> Job:
    """The job of a process that times the proxies at these import paths on the run's mini-batches."""
    return Job(
        benchmark=reference_for_workers(run.benchmark),
        dataset=run.setting.dataset,
        seed=run.setting.seed,
        proxies=tuple(places),
        batches=str((run.directory / BATCHES_FILE).resolve()),
        fingerprint=run.setting.fingerprint,
        device=run.setting.device,
        init=name_of(run.setting.initialisation),
    )


def in_processes(job: Job, architectures: Sequence[str], processes: int = 1) -> OwnCosts:
    """The median over new processes that measure one after the other.

    Each has its own memory layout, which changes the time of small operations by several percent.

    Raises:
        HarnessError: if a process dies.
    """
    found = []
    for _ in range(processes):
        with spawned_workers(1) as process:
            try:
                found.append(process.submit(measure_here, job, tuple(architectures)).result())
            except BrokenExecutor as error:
                raise HarnessError("the process that measured costs died, perhaps because memory ran out") from error
    return median_of(found)


def measure_here(job: Job, architectures: Sequence[str]) -> OwnCosts:
    """Time the proxies of a job on some networks, in this process."""
    chosen = [resolve(place) for place in job.proxies]
    benchmark = benchmark_of(job)
    batches = read_batches_of(job)
    clock = clock_of(job.device)
    timer = CLOCKS.get(clock, CLOCKS["wall"])
    rows = {}
    with one_thread():
        for architecture in architectures:
            probe = make_probe(job, benchmark, architecture, batches, [])
            rows[architecture] = _own_work(probe, chosen, timer, SECONDS / len(architectures))
    table = pd.DataFrame.from_dict(rows, orient="index")
    step, calls = table.pop(_STEP), table.pop(_CALLS)
    return OwnCosts(table.div(step, axis=0), calls / step, Place(processor_name(), clock, torch.__version__))


_STEP, _CALLS = " forward and backward", " calls"
"""What is timed besides the proxies, under names that no proxy can have."""


class _Repeated(Probe):
    """A probe that caches the passes over the first mini-batch and forgets all other results."""

    def __init__(self, like: Probe) -> None:
        super().__init__(like.network, like.batches, like.seed, like.objective)
        self.strict = False
        self.forward()
        self.loss_gradients()
        self.layer_output_gradients()
        self.input_jacobian()
        self._held = dict(self._results)

    @contextmanager
    def random_state(self, *purpose: str, everywhere: bool = False) -> Iterator[None]:
        """Do not seed: the numbers drawn do not matter here, and seeding torch takes longer than many proxies."""
        yield

    def score(self, proxy: Proxy) -> None:
        """Call the proxy once more."""
        self._results = dict(self._held)
        proxy(self)


def _own_work(like: Probe, chosen: Sequence[Proxy], clock: Callable[[], float], budget: float) -> dict[str, float]:
    """The shortest seconds of each proxy, of the passes and of the calls; NaN if it cannot be computed."""
    try:
        probe = _Repeated(like)
    except Exception:  # the reason is stored with the scores of the run
        return dict.fromkeys([_STEP, _CALLS, *(proxy.name for proxy in chosen)], math.nan)
    tasks: dict[str, Callable[[], Any]] = {_STEP: partial(_step, like), _CALLS: partial(_calls, like)}
    tasks |= {proxy.name: partial(probe.score, proxy) for proxy in chosen}
    best = dict.fromkeys(tasks, math.inf)
    begin = clock()
    for number in range(ROUNDS):
        if number >= LEAST_ROUNDS and clock() - begin > budget:
            break
        # In random order, because the previous task determines the content of the caches.
        for name in np.random.default_rng(number).permutation(list(tasks)):
            best[name] = float(np.minimum(best[name], _seconds(tasks[name], clock)))
    return best


def _step(like: Probe) -> None:
    Probe(like.network, like.batches, like.seed, like.objective).loss_gradients()


def _calls(like: Probe) -> float:
    """One operation per parameter: almost no arithmetic, and no code of the harness."""
    return float(torch.stack([parameter.detach().norm() for parameter in like.network.parameters()]).sum())


def _seconds(task: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Mean seconds of a task within one block of repetitions, after one for the caches; NaN if it fails."""
    collects = gc.isenabled()
    gc.disable()
    try:
        begin = clock()
        task()
        first = clock() - begin
        if first > BLOCK:
            return first
        begin = now = clock()
        repeats = 0
        while now - begin < BLOCK:
            task()
            repeats += 1
            now = clock()
        return (now - begin) / repeats
    except Exception:  # a proxy may fail in any way; the error is stored with the scores of the run
        return math.nan
    finally:
        if collects:
            gc.enable()
