"""The contracts of benchmarks and proxies as tests, for authors of either.

Run them from your own test suite, without a checkout of this project::

    from harness.testing import BenchmarkContract, ProxyContract
    from my_package import MyBenchmark, my_proxy


    class TestMyBenchmark(BenchmarkContract):
        benchmark = MyBenchmark


    class TestMyProxy(ProxyContract):
        proxy = my_proxy

and then ``pytest``. Each test is one promise of :mod:`harness.contracts.benchmark` or :mod:`harness.contracts.proxy`; a
failure says what to fix. Only this package needs pytest.
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
