"""The contracts of a benchmark and of a proxy as tests, for whoever writes one.

A third party runs them in a file of its own tests, with no checkout of this project::

    from harness.testing import BenchmarkContract, ProxyContract
    from my_package import MyBenchmark, my_proxy


    class TestMyBenchmark(BenchmarkContract):
        benchmark = MyBenchmark


    class TestMyProxy(ProxyContract):
        proxy = my_proxy

and then ``pytest``. Each test is one promise of :mod:`harness.contracts.benchmark` or :mod:`harness.contracts.proxy`;
its failure says what to mend. This package alone needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from harness.testing.benchmark import BenchmarkContract
    from harness.testing.proxy import ProxyContract

__all__ = ["BenchmarkContract", "ProxyContract"]

# Loaded at first use, so that ``python -m harness.testing.benchmark.order`` needs neither pytest nor torch.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__, submod_attrs={"benchmark": ["BenchmarkContract"], "proxy": ["ProxyContract"]}
)
