"""The regression gate: do proxies still compute the same scores, rank as well, and cost the same as in a baseline?

:func:`freeze` makes a baseline from a run, and :func:`compare` compares a run with a baseline. The rest of the package
shows the outcome: on a terminal, in a pull request, on a build server.
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
