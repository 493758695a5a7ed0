"""Measure loading the ground truth and the analysis, each in a new process."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from harness.data.local_tables import table_path

ANALYSIS_SIZES = (10_000, 100_000, 400_000)
ANALYSIS_SCORES = 10
LARGEST = (423_624, 30)
"""NAS-Bench-101 with as many scores as a large run."""


def measure_loading() -> tuple[float, float]:
    """Seconds and peak megabytes of a new process that loads the three ground truths of NATS-TSS, including imports."""
    code = (
        "from harness.registry import load_benchmark\n"
        "b = load_benchmark('nats-tss')\n"
        "assert sum(len(b.ground_truth(d).accuracy) for d in b.datasets) == 3 * 15625\n"
        "from harness.execution.limits.memory import peak_megabytes; print(peak_megabytes())"
    )
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        runs.append((time.perf_counter() - start, float(process.stdout)))
    return statistics.median(run[0] for run in runs), max(run[1] for run in runs)


def print_loading(console: Console) -> None:
    """Print the time and memory of loading the ground truth."""
    if table_path("nats-tss").exists():
        seconds, megabytes = measure_loading()
        console.print(f"ground truth of 15,625 × 3 in a new process: {seconds:.2f} s, peak {megabytes:.0f} MB")
    else:
        console.print("ground truth: not measured, since it is missing; get it with: harness data get nats-tss")


def measure_analysis(networks: int, scores: int) -> tuple[float, float, float]:
    """Seconds for the correlation table and for all pairs, and peak megabytes, in a new process with one thread."""
    command = [sys.executable, "-m", "tools.perf.analysis", "--networks", str(networks), "--scores", str(scores)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    table, pairs, megabytes = map(float, process.stdout.split())
    return table, pairs, megabytes


def print_analysis(console: Console, *, largest: bool) -> None:
    """Print the time of the analysis for increasing numbers of networks, also divided by n log₂ n."""
    title = "Analysis: correlation table with intervals and paired comparisons; all pairs of scores"
    console.print(title, highlight=False)
    printed = Table("networks × scores", "table, s", "pairs, s", "ns per n log₂ n and score", "peak, MB")
    sizes = [(networks, ANALYSIS_SCORES) for networks in ANALYSIS_SIZES]
    for networks, scores in [*sizes, *([LARGEST] if largest else [])]:
        table, pairs, megabytes = measure_analysis(networks, scores)
        unit = 1e9 * table / (scores * networks * math.log2(networks))
        printed.add_row(f"{networks:,} × {scores}", f"{table:.2f}", f"{pairs:.2f}", f"{unit:.0f}", f"{megabytes:,.0f}")
    console.print(printed)
