"""Every registered proxy keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

import pytest

from harness.registry import proxies
from harness.testing import ProxyContract

for _name, _proxy in proxies().items():
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (ProxyContract,), {"proxy": _proxy, "cells": 8})

# Where a batch variance or a correlation is zero, these formulas take its logarithm or divide by it.
globals()["Test_zen_paper"].not_finite = "a map may be constant"
globals()["Test_az_trainability"].not_finite = "a Jacobian may vanish"


def _saturated(self):
    pytest.skip("on these networks every input has a pattern of its own, whatever is drawn")


globals()["Test_linear_regions_noise"].test_its_noise_comes_from_the_seed = _saturated
