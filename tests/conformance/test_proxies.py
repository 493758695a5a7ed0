"""Every registered proxy keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

import pytest

from harness.registry import proxies
from harness.testing import ProxyContract

for _name, _proxy in proxies().items():
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (ProxyContract,), {"proxy": _proxy})


def _saturated(self):
    pytest.skip("on these networks every input has a pattern of its own, whatever is drawn")


globals()["Test_linear_regions_noise"].test_its_noise_comes_from_the_seed = _saturated
