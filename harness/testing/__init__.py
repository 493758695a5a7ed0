"""The contracts of benchmarks, search spaces and proxies as tests, for their authors.

Run them from your own test suite, without a checkout of this project::

    from harness.testing import BenchmarkContract, ProxyContract, SearchSpaceContract
    from my_package import MyBenchmark, my_proxy


    class TestMyBenchmark(BenchmarkContract):
        benchmark = MyBenchmark


    class TestMySpace(SearchSpaceContract):
        benchmark = MyBenchmark


    class TestMyProxy(ProxyContract):
        proxy = my_proxy

and then ``pytest``. Each test is one promise of a class in :mod:`harness.contracts`; a failure says what to fix. Only
this package needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from harness.testing.benchmark import BenchmarkContract
    from harness.testing.proxy import ProxyContract
    from harness.testing.search_space import SearchSpaceContract

__all__ = ["BenchmarkContract", "ProxyContract", "SearchSpaceContract"]

# Loaded at first use, so that ``python -m harness.testing.benchmark.order`` needs neither pytest nor torch.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "benchmark": ["BenchmarkContract"],
        "proxy": ["ProxyContract"],
        "search_space": ["SearchSpaceContract"],
    },
)
