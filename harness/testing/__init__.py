"""The contract of a benchmark as tests, for whoever writes one.

A third party runs it in a file of its own tests, with no checkout of this project::

    from harness.testing import BenchmarkContract
    from my_package import MyBenchmark


    class TestMyBenchmark(BenchmarkContract):
        benchmark = MyBenchmark

and then ``pytest``. Each test is one promise of :mod:`harness.benchmark`; its failure says what to mend. This package
alone needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.testing.contract import BenchmarkContract

__all__ = ["BenchmarkContract"]


def __getattr__(name: str) -> object:
    # Loaded at first use, so that ``python -m harness.testing.order`` needs neither pytest nor torch.
    if name != "BenchmarkContract":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from harness.testing.contract import BenchmarkContract

    return BenchmarkContract
