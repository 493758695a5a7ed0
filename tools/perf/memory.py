"""Measure the memory of one network: ``python -m tools.perf.memory nasbench101 ARCHITECTURE --batch-size 16``.

Computes one unit on noise in this new process, and prints its peak resident memory and, for comparison, the memory that
the graph of the shared forward pass keeps, both in megabytes. ``--estimate`` prints only the latter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from harness._utils.arguments import parse_bytes
from harness.execution.limits.memory import peak_megabytes
from harness.execution.limits.out_of_memory import graph_bytes
from harness.execution.options import RunOptions
from harness.execution.plan import Plan, make_plan
from harness.execution.runner import run
from harness.probe import Probe
from harness.store import Store


def plan_of(options: argparse.Namespace) -> Plan:
    """One architecture, with noise for images."""
    given = RunOptions(
        dataset=options.dataset,
        sample=1,
        proxies=options.proxies,
        images="noise",
        batch_size=options.batch_size,
        resolution=options.resolution,
    )
    return replace(make_plan(options.benchmark, given), architectures=[options.architecture])


def main() -> None:
    """Print peak memory, graph memory and the number of outcomes of each kind."""
    parser = argparse.ArgumentParser(prog="python -m tools.perf.memory", description=main.__doc__)
    parser.add_argument("benchmark")
    parser.add_argument("architecture")
    parser.add_argument("--dataset")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--proxies", default="standard")
    parser.add_argument("--memory-limit")
    parser.add_argument("--estimate", action="store_true")
    options = parser.parse_args()
    plan = plan_of(options)
    network = plan.benchmark.build(options.architecture, plan.setting.dataset)
    graph = (graph_bytes(Probe(network, plan.batches)) or 0) / 2**20
    if options.estimate:
        sys.stdout.write(f"graph {graph:,.0f} MB\n")
        return
    del network
    limit = parse_bytes(options.memory_limit) if options.memory_limit else None
    with tempfile.TemporaryDirectory() as directory:
        run(plan, directory, memory_limit=limit)
        with Store.read(Path(directory)) as store:
            outcomes = Counter(store.scores()["status"])
    counted = ", ".join(f"{number} {status}" for status, number in sorted(outcomes.items()))
    sys.stdout.write(f"peak {peak_megabytes():,.0f} MB, graph {graph:,.0f} MB, {counted}\n")


if __name__ == "__main__":
    main()
