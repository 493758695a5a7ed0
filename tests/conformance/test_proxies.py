"""Every registered proxy keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

from harness.registry import proxies
from harness.testing import ProxyContract

for _name, _proxy in proxies().items():
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (ProxyContract,), {"proxy": _proxy})
