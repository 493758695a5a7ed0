"""A plan as long as NAS-Bench-101 has cells: what the parent needs of memory and time, with networks that cost nothing.

    python tests/stress/whole_space.py --architectures 423624

The units' outcomes are ready as soon as they are asked for, so that what is left is the runner and the store. The
process's memory is read and living units are counted as the run goes on.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import nn

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.execution.options import RunOptions
from harness.execution.plan import Plan, make_plan
from harness.execution.runner import RunSummary, run
from harness.images import Images
from harness.store.records import Score, Unit, UnitResult
from harness.tasks import Task

PROXIES = "params,flops,snip,synflow"


class Wide(Benchmark):
    """As many architectures as wanted, with names as long as a hash."""

    name = "wide"
    title = "a space as wide as wanted"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)
    size = 1_000

    def architectures(self) -> list[str]:
        return [f"{number:032x}" for number in range(self.size)]

    def task(self, dataset: str) -> Task:
        return Task(dataset, (1, 4, 4), 2)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        raise NotImplementedError

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        raise NotImplementedError


class Ready(Executor):
    """Gives each unit's outcomes at once, without computing them."""

    window = 8

    def submit(self, fn, /, job, unit):
        future: Future[UnitResult] = Future()
        scores = tuple(Score(name, 1, "ok", 1.0, None, 0.0, 0.0) for name in unit.proxies)
        future.set_result(UnitResult(unit.architecture, scores, 0.0))
        return future


@dataclass
class Watch:
    """What was seen at each tenth of a run: units done, megabytes of the process, living units."""

    every: int
    seen: list[tuple[int, float, int]] = field(default_factory=list)

    def __call__(self, done: int, total: int) -> None:
        if done % self.every == 0:
            living = sum(type(thing) is Unit for thing in gc.get_objects())
            self.seen.append((done, megabytes(), living))


def megabytes() -> float:
    """Memory that this process has now."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def wide_plan(size: int) -> Plan:
    """A plan for that many architectures."""
    draw = np.random.default_rng(0)
    pixels = draw.standard_normal((8, 1, 4, 4), dtype=np.float32)
    images = Images(pixels=pixels, labels=draw.integers(0, 2, 8), description="dots")
    benchmark = Wide()
    benchmark.size = size
    return make_plan(benchmark, RunOptions(proxies=PROXIES, images=images, batch_size=4))


def whole_run(plan: Plan, directory: Path) -> tuple[RunSummary, Watch]:
    """The run, and what was seen on the way."""
    watch = Watch(max(len(plan.architectures) // 10, 1))
    return run(plan, directory, executor=Ready, progress=watch), watch


def main() -> int:
    """Print what a run of the whole space and its resumption take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", type=int, default=423_624)
    size = parser.parse_args().architectures
    with tempfile.TemporaryDirectory() as folder:
        plan = wide_plan(size)
        begun = time.perf_counter()
        summary, watch = whole_run(plan, Path(folder))
        seconds = time.perf_counter() - begun
        for done, memory, living in watch.seen:
            print(f"{done:>9,} units: {memory:6.1f} MB, {living} units alive")
        print(f"{summary.computed:,} units in {seconds:.0f} s, {seconds / size * 1e3:.3f} ms each")
        begun = time.perf_counter()
        again = run(plan, Path(folder), executor=Ready)
        print(f"nothing left to do ({again.computed}): found in {time.perf_counter() - begun:.1f} s")
        print(f"store: {(Path(folder) / 'scores.sqlite').stat().st_size / 2**20:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
