"""The overhead of a run, and the speed-up with a second worker."""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.execution.clocks import CLOCKS, clock_of
from harness.execution.executors import InlineExecutor, spawned_workers
from harness.execution.options import RunOptions
from harness.execution.plan import Plan, make_plan
from harness.execution.runner import run
from harness.execution.unit import compute_unit
from harness.store.records import UnitResult

CLOCK = CLOCKS[clock_of("cpu")]
ROUNDS = 3
"""Number of alternating measurements with one and two workers, since the machine's speed may change."""

WARM_UP = 4
"""Networks to score before timing starts, so that every worker has started and read its images."""


class TimedExecutor(InlineExecutor):
    """Computes in this process, and adds up the time of units and of the proxies in them."""

    def __init__(self) -> None:
        self.units = 0.0
        self.proxies = 0.0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Compute a unit now, and note how long it and its proxies took."""
        assert fn is compute_unit
        start = CLOCK()
        future = super().submit(fn, *args, **kwargs)
        self.units += CLOCK() - start
        result: UnitResult = future.result()
        self.proxies += result.scoring_seconds
        return future


def plan_of(networks: int, batch_size: int, images: str) -> Plan:
    """The survey's suite on uniformly drawn NATS-TSS networks."""
    options = RunOptions(dataset="cifar10", sample=networks, images=images, batch_size=batch_size)
    return make_plan("nats-tss", options)


def measure_overhead(plan: Plan) -> tuple[float, float, float]:
    """Processor time of a run in this process, of its units, and of the proxies in them."""
    timed = TimedExecutor()
    with tempfile.TemporaryDirectory() as directory:
        start = CLOCK()
        run(plan, Path(directory), executor=lambda: timed)
        whole = CLOCK() - start
    return whole, timed.units, timed.proxies


def measure_throughput(plan: Plan, workers: int) -> float:
    """Networks per second, after warm-up and while all workers are busy."""
    moments: list[float] = []

    def note(done: int, total: int) -> None:
        moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as directory:
        run(plan, Path(directory), workers=workers, executor=lambda: spawned_workers(workers), progress=note)
    steady = moments[WARM_UP : len(moments) - (workers - 1)]
    return (len(steady) - 1) / (steady[-1] - steady[0])


def print_throughput(console: Console, networks: int, batch_size: int, images: str) -> None:
    """Print overhead and throughput on the survey's suite."""
    plan = plan_of(networks, batch_size, images)
    whole, units, proxies = measure_overhead(plan)
    beside = 100 * (whole - units) / whole
    building = 100 * (units - proxies) / whole
    console.print(
        f"a run of {networks} networks in one process: {beside:.1f} % of the time for the run and its store, "
        f"{building:.1f} % for building networks and timing, the rest for proxies"
    )
    pairs = [(measure_throughput(plan, 1), measure_throughput(plan, 2)) for _ in range(ROUNDS)]
    one, two = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    efficiencies = sorted(two / (2 * one) for one, two in pairs)
    console.print(
        f"workers: {one:.2f} networks per second with one, {two:.2f} with two; efficiency "
        f"{statistics.median(efficiencies):.2f} (median of {ROUNDS} pairs of runs, {efficiencies[0]:.2f} to "
        f"{efficiencies[-1]:.2f})"
    )
