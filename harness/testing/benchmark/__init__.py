"""The complete benchmark contract, as one class to subclass."""

from __future__ import annotations

from harness.testing.benchmark.architectures import ArchitecturesContract
from harness.testing.benchmark.networks import NetworksContract
from harness.testing.benchmark.table_import import ImportContract
from harness.testing.benchmark.truths import GroundTruthContract


class BenchmarkContract(ArchitecturesContract, NetworksContract, GroundTruthContract, ImportContract):
    """The complete contract of a benchmark, as tests; subclass it and set ``benchmark``.

    Attributes:
        benchmark: the class under test.
        table: a file for ``harness data import``, for benchmarks whose ground truth is imported. Without one, a
            generated table is imported; if only the table lists the architectures, the tests that need them are
            skipped.
        built: the architectures to build; by default the first, the last and two random ones.
        batch: number of images that the networks are tested on.
        resolution: height and width of these images; by default those of the task.
    """
