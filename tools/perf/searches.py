"""The overhead of a search, its speed with one and two workers, and how long a published one would take."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from rich.console import Console

from harness.execution.executors import spawned_workers
from harness.execution.options import RunOptions
from harness.searching.loop import Limits, Search
from harness.searching.objective import objective
from harness.searching.run import SearchOptions, Watch, carry_out, prepared
from tools.perf.throughput import CLOCK, ROUNDS, TimedExecutor

PUBLISHED_CANDIDATES = 480_000
"""The iterations of Zen-NAS's published searches, rejected candidates included."""

WARM_UP = 30
"""Networks to score before timing starts, so that every worker has started, and the first tiny networks are left."""

SPACE, BUDGETS = "zen-resnet-plain", ("official_params=1e6", "layers=18")
"""Zen-NAS's search for CIFAR: its ResNet-like space without residual links, and its budgets."""

Moment = tuple[float, int, int]
"""A time in seconds, and how many networks had entered and how many candidates had been drawn by then."""


def _carried_out(
    networks: int,
    batch_size: int,
    images: str,
    *,
    workers: int = 1,
    executor: Callable[[], Executor] | None = None,
    told: Watch | None = None,
) -> None:
    options = SearchOptions(proxies=("zen",), budgets=BUDGETS)
    run = RunOptions(dataset="cifar10", images=images, batch_size=batch_size)
    plan, search = prepared(SPACE, objective("zen"), options, Limits(networks), run)
    with tempfile.TemporaryDirectory() as directory:
        carry_out(plan, search, options, Path(directory), workers=workers, executor=executor, watch=told)


def measure_overhead(networks: int, batch_size: int, images: str) -> tuple[float, float, float]:
    """Processor time of a search in this process, of its units, and of the proxy in them."""
    timed = TimedExecutor()
    start = CLOCK()
    _carried_out(networks, batch_size, images, executor=lambda: timed)
    return CLOCK() - start, timed.units, timed.proxies


def measure_speed(networks: int, batch_size: int, images: str, workers: int) -> tuple[float, float]:
    """Networks scored per second, and candidates drawn per second, after a warm-up."""
    moments: list[Moment] = []

    def note(search: Search) -> None:
        moments.append((time.perf_counter(), len(search.entered), len(search.candidates)))

    _carried_out(networks, batch_size, images, workers=workers, executor=lambda: spawned_workers(workers), told=note)
    first = next(moment for moment in moments if moment[1] >= WARM_UP)
    seconds, entered, drawn = (last - before for last, before in zip(moments[-1], first, strict=True))
    return entered / seconds, drawn / seconds


def print_searches(console: Console, networks: int, batch_size: int, images: str) -> None:
    """Print overhead, speed and projection of Zen-NAS's search for CIFAR-10 with Zen-Score."""
    networks = max(networks, 3 * WARM_UP)
    whole, units, proxies = measure_overhead(networks, batch_size, images)
    console.print(
        f"a search of {networks} networks in one process, Zen-Score, batch {batch_size}: "
        f"{100 * (whole - units) / whole:.1f} % of the time for the search and its store, "
        f"{100 * (units - proxies) / whole:.1f} % for building networks and timing, the rest for the proxy"
    )
    pairs = [tuple(measure_speed(networks, batch_size, images, workers) for workers in (1, 2)) for _ in range(ROUNDS)]
    (one, drawn), (two, drawn_by_two) = (
        tuple(statistics.median(each) for each in zip(*column, strict=True)) for column in zip(*pairs, strict=True)
    )
    console.print(
        f"{one:.1f} networks scored per second with one worker, {two:.1f} with two (medians of {ROUNDS} searches); "
        f"{drawn / one:.2f} candidates drawn for each"
    )
    hours = [PUBLISHED_CANDIDATES / rate / 3600 for rate in (drawn, drawn_by_two)]
    console.print(
        f"projected: {PUBLISHED_CANDIDATES:,} candidates would take {hours[0]:.0f} hours with one worker, "
        f"{hours[1]:.0f} with two, if later networks cost what these do"
    )
