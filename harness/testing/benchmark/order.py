"""A benchmark's order in another process: ``python -m harness.testing.benchmark.order module:Class``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

from harness.contracts.benchmark import Benchmark
from harness.registry import reference, resolve

LARGEST_SAMPLE = 50


def order_digest(benchmark: Benchmark) -> str:
    """A hash of the architectures, the sets and a sample, all in order."""
    architectures = list(benchmark.architectures())
    sets = {name: benchmark.subset(name) for name in benchmark.subsets}
    sample = benchmark.sample(min(len(architectures), LARGEST_SAMPLE), seed=0)
    return hashlib.sha256(json.dumps([architectures, sets, sample]).encode()).hexdigest()


def digest_of_another_process(benchmark: type[Benchmark]) -> str:
    """The same, from a process with another hash seed.

    Raises:
        AssertionError: if that process fails.
    """
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "harness.testing.benchmark.order", reference(benchmark)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, f"another process cannot list the architectures: {done.stderr.strip()[-500:]}"
    return done.stdout.strip()


if __name__ == "__main__":
    sys.stdout.write(order_digest(resolve(sys.argv[1])()) + "\n")
