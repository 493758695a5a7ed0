"""Measure and print: ``python -m tools.perf``."""

from __future__ import annotations

import argparse

from rich.console import Console

from harness.execution.limits.memory import keep_freed_memory
from tools.perf.growth import print_analysis, print_loading
from tools.perf.kernels import print_kernels
from tools.perf.operations import print_operations
from tools.perf.searches import print_searches
from tools.perf.suite import print_published, print_suite
from tools.perf.throughput import print_throughput

PARTS = ("suite", "operations", "kernels", "published", "throughput", "search", "loading", "analysis")


def main() -> None:
    """Measure the requested parts."""
    parser = argparse.ArgumentParser(prog="python -m tools.perf", description="Measure performance as ratios.")
    parser.add_argument("--cells", type=int, default=20, help="number of networks to measure")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--images", default="noise", help="CIFAR-10 binary files, or 'noise'")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to measure")
    parser.add_argument("--largest", action="store_true", help="also measure the analysis of NAS-Bench-101 × 30 scores")
    options = parser.parse_args()
    console = Console(width=120)
    keep_freed_memory()
    arguments = (options.cells, options.batch_size, options.images)
    if "suite" in options.only:
        print_suite(console, *arguments)
    if "operations" in options.only:
        print_operations(console, options.batch_size, options.images)
    if "kernels" in options.only:
        print_kernels(console, *arguments)
    if "published" in options.only:
        print_published(console, *arguments)
    if "throughput" in options.only:
        print_throughput(console, *arguments)
    if "search" in options.only:
        print_searches(console, *arguments)
    if "loading" in options.only:
        print_loading(console)
    if "analysis" in options.only:
        print_analysis(console, largest=options.largest)


if __name__ == "__main__":
    main()
