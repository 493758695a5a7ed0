"""Every registered proxy keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

import pytest

from harness.registry import STANDARD, proxies
from harness.testing import ProxyContract

for _name, _proxy in proxies().items():
    _test = type(f"Test_{_name}", (ProxyContract,), {"proxy": _proxy, "cells": 8})
    # Every proxy has everyday tests of its values, in tests/harness/proxies.
    globals()[f"Test_{_name}"] = _test if _name in STANDARD else pytest.mark.nightly(_test)

# Where a batch variance or a correlation is zero, these formulas take its logarithm or divide by it.
globals()["Test_zen_paper"].not_finite = "a map may be constant"
globals()["Test_az_trainability"].not_finite = "a Jacobian may vanish"


def _saturated(self):
    pytest.skip("on these networks every input has a pattern of its own, whatever is drawn")


globals()["Test_linear_regions_noise"].test_its_noise_comes_from_the_seed = _saturated
