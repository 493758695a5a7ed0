"""The regression gate: does a proxy still compute what it computed, rank as well as it did, and cost what it cost?

:func:`freeze` makes a baseline of a run, :func:`compare` sets a run beside one. Everything else here is how the outcome
is told: to a terminal, a pull request, a build server.
"""

from harness.gate.baseline import Baseline, freeze
from harness.gate.baseline_files import read_baseline, write_baseline
from harness.gate.compare import Checked, compare, compare_with_costs
from harness.gate.verdicts import Limits

__all__ = [
    "Baseline",
    "Checked",
    "Limits",
    "compare",
    "compare_with_costs",
    "freeze",
    "read_baseline",
    "write_baseline",
]
