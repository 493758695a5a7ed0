"""The whole contract, one class to subclass."""

from __future__ import annotations

from harness.testing.benchmark.architectures import ArchitecturesContract
from harness.testing.benchmark.networks import NetworksContract
from harness.testing.benchmark.table_import import ImportContract
from harness.testing.benchmark.truths import GroundTruthContract


class BenchmarkContract(ArchitecturesContract, NetworksContract, GroundTruthContract, ImportContract):
    """Every promise that a benchmark makes, as tests; subclass it and name the benchmark's class.

    Attributes:
        benchmark: the class under test.
        table: a file that ``harness data import`` takes, for a benchmark whose ground truth is imported. Without one a
            made-up table is imported, or, where architectures come from the table alone, the tests that need them are
            skipped.
        built: the architectures to build networks of; the first, the last and two drawn ones unless given.
        batch: how many images the networks are tried on.
        resolution: their height and width; those of the task unless given.
    """
