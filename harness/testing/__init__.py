"""The contracts of a benchmark and of a proxy as tests, for whoever writes one.

A third party runs them in a file of its own tests, with no checkout of this project::

    from harness.testing import BenchmarkContract, ProxyContract
    from my_package import MyBenchmark, my_proxy


    class TestMyBenchmark(BenchmarkContract):
        benchmark = MyBenchmark


    class TestMyProxy(ProxyContract):
        proxy = my_proxy

and then ``pytest``. Each test is one promise of :mod:`harness.benchmark` or :mod:`harness.proxies.base`; its failure
says what to mend. This package alone needs pytest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.testing.contract import BenchmarkContract
    from harness.testing.proxy_contract import ProxyContract

__all__ = ["BenchmarkContract", "ProxyContract"]

_MODULES = {"BenchmarkContract": "contract", "ProxyContract": "proxy_contract"}


def __getattr__(name: str) -> object:
    # Loaded at first use, so that ``python -m harness.testing.order`` needs neither pytest nor torch.
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
