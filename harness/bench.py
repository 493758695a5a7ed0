"""What things cost, as ratios measured side by side in one run: ``python -m harness.bench``.

Seconds of one machine mean little on another. The suite of all proxies is therefore told as a multiple of one plain
forward and backward pass of the same network on the same batch, with one thread. The time of the analysis is told for
growing numbers of networks, divided by n log₂ n.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import nn

from harness.data.tables import table_path
from harness.images import Batch, load_images
from harness.memory import peak_megabytes
from harness.probe import Probe
from harness.proxies.base import Proxy
from harness.registry import load_benchmark, select_proxies
from harness.seeds import derive_seed
from harness.unit import one_thread

ANALYSIS_SIZES = (10_000, 100_000, 400_000)
ANALYSIS_SCORES = 10
LARGEST = (423_624, 30)
"""NAS-Bench-101 with as many scores as a run may have."""


@dataclass(frozen=True)
class Cost:
    """What one network cost.

    Attributes:
        forward_backward: seconds of a plain forward and backward pass.
        suite: seconds of all proxies together, from the finished network to the last score.
        standalone: for each proxy, what it alone would have taken in that suite.
        own: for each proxy, what leaving it out would have saved.
    """

    forward_backward: float
    suite: float
    standalone: dict[str, float]
    own: dict[str, float]


def measure_network(network: nn.Module, batches: list[Batch], proxies: list[Proxy]) -> Cost:
    """One network's costs; the passes before and after the suite make up for a machine that changes its speed."""
    batch = batches[0]

    def plain() -> None:
        loss = F.cross_entropy(network(batch.images), batch.labels)
        torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)

    plain()
    passes = [_seconds(plain) for _ in range(2)]
    start = time.perf_counter()
    anticipated = {quantity for proxy in proxies for quantity in proxy.anticipates}
    probe = Probe(network, batches, anticipate=anticipated)
    for proxy in proxies:
        with probe.ledger.measure(proxy.name):
            proxy(probe)
    suite = time.perf_counter() - start
    names = {proxy.name for proxy in proxies}
    standalone = {name: probe.ledger.standalone(name) for name in names}
    own = {name: probe.ledger.marginal(name, names) for name in names}
    del probe
    passes += [_seconds(plain) for _ in range(2)]
    return Cost(statistics.median(passes), suite, standalone, own)


def measure_suite(proxies: list[Proxy], cells: int, batch_size: int, images: str) -> list[Cost]:
    """The costs of uniformly drawn NATS-TSS networks on CIFAR-10-sized images; one more warms everything up."""
    benchmark = load_benchmark("nats-tss")
    batches = [
        Batch(b.images.contiguous(memory_format=torch.channels_last), b.labels)
        for b in load_images(images, benchmark.task("cifar10")).batches(batch_size, 2, seed=0)
    ]
    costs = []
    with one_thread():
        for architecture in benchmark.sample(cells + 1, seed=0):
            torch.manual_seed(derive_seed("bench", architecture))
            network = benchmark.build(architecture, "cifar10")
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            costs.append(measure_network(network, batches, proxies))
    return costs[1:]


def median_ratio(costs: list[Cost], seconds: list[float]) -> float:
    """Median over networks of some seconds ÷ forward + backward."""
    return statistics.median(s / cost.forward_backward for s, cost in zip(seconds, costs, strict=True))


def measure_loading() -> tuple[float, float]:
    """Seconds and peak megabytes of a fresh process that loads NATS-TSS's three ground truths, imports included."""
    code = (
        "from harness.registry import load_benchmark\n"
        "b = load_benchmark('nats-tss')\n"
        "assert sum(len(b.ground_truth(d).accuracy) for d in b.datasets) == 3 * 15625\n"
        "from harness.memory import peak_megabytes; print(peak_megabytes())"
    )
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        runs.append((time.perf_counter() - start, float(process.stdout)))
    return statistics.median(run[0] for run in runs), max(run[1] for run in runs)


def measure_analysis(networks: int, scores: int) -> tuple[float, float, float]:
    """Seconds of the correlation table and of all pairs, and peak megabytes, in a fresh process with one thread."""
    command = [sys.executable, "-m", "harness.bench_analysis", "--networks", str(networks), "--scores", str(scores)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    table, pairs, megabytes = map(float, process.stdout.split())
    return table, pairs, megabytes


def print_analysis(console: Console, *, largest: bool) -> None:
    """The time of the analysis for growing numbers of networks."""
    title = "Analysis: correlation table with intervals and paired comparisons; all pairs of scores"
    console.print(title, highlight=False)
    printed = Table("networks × scores", "table, s", "pairs, s", "ns per n log₂ n and score", "peak, MB")
    sizes = [(networks, ANALYSIS_SCORES) for networks in ANALYSIS_SIZES]
    for networks, scores in [*sizes, *([LARGEST] if largest else [])]:
        table, pairs, megabytes = measure_analysis(networks, scores)
        unit = 1e9 * table / (scores * networks * math.log2(networks))
        printed.add_row(f"{networks:,} × {scores}", f"{table:.2f}", f"{pairs:.2f}", f"{unit:.0f}", f"{megabytes:,.0f}")
    console.print(printed)


def _seconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def print_suite(console: Console, options: argparse.Namespace) -> None:
    """The cost of the proxies, and of loading the ground truth."""
    everything = select_proxies("standard")
    without = [proxy for proxy in everything if proxy.name != "grasp"]
    arguments = (options.cells, options.batch_size, options.images)
    with_grasp, lean = measure_suite(everything, *arguments), measure_suite(without, *arguments)

    title = f"Cost ÷ one forward + backward, median over {options.cells} NATS-TSS networks, batch {options.batch_size}"
    console.print(title, highlight=False)
    table = Table("what", "stand-alone", "own")
    alone = {p.name: median_ratio(with_grasp, [c.standalone[p.name] for c in with_grasp]) for p in everything}
    own = {p.name: median_ratio(with_grasp, [c.own[p.name] for c in with_grasp]) for p in everything}
    for name in sorted(alone, key=alone.__getitem__):
        table.add_row(name, f"{alone[name]:.2f}", f"{own[name]:.2f}")
    console.print(table)
    for words, costs in (("without", lean), ("with", with_grasp)):
        count = len(costs[0].own)
        console.print(f"suite of {count} {words} GraSP: {median_ratio(costs, [c.suite for c in costs]):.2f}")
    console.print(f"peak memory of this process: {peak_megabytes():,.0f} MB")
    if table_path("nats-tss").exists():
        seconds, megabytes = measure_loading()
        console.print(f"ground truth of 15,625 × 3 in a fresh process: {seconds:.2f} s, peak {megabytes:.0f} MB")
    else:
        console.print("ground truth: not measured, since there is none here; see harness data import nats-tss")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--images", default="noise", help="CIFAR-10 binary files, or noise")
    parser.add_argument("--analysis", action="store_true", help="measure the analysis alone, up to NAS-Bench-101 × 30")
    options = parser.parse_args()
    console = Console(width=120)
    if not options.analysis:
        print_suite(console, options)
    print_analysis(console, largest=options.analysis)


if __name__ == "__main__":
    main()
