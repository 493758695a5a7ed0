"""Rank zero-shot NAS proxies against the accuracies that networks truly reach.

The names below are loaded at first use, so that the command line starts without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    from harness.api import Report, agreement, load, report, run
    from harness.benchmark import Benchmark, GroundTruth, Task
    from harness.errors import HarnessError
    from harness.images import load_images
    from harness.merging import merge
    from harness.proxies.base import Proxy, proxy

__all__ = [
    "Benchmark",
    "GroundTruth",
    "HarnessError",
    "Proxy",
    "Report",
    "Task",
    "__version__",
    "agreement",
    "load",
    "load_images",
    "merge",
    "proxy",
    "report",
    "run",
]

_MODULES = {
    "Benchmark": "harness.benchmark",
    "GroundTruth": "harness.benchmark",
    "HarnessError": "harness.errors",
    "Proxy": "harness.proxies.base",
    "Report": "harness.api",
    "Task": "harness.benchmark",
    "agreement": "harness.api",
    "load": "harness.api",
    "load_images": "harness.images",
    "merge": "harness.merging",
    "proxy": "harness.proxies.base",
    "report": "harness.api",
    "run": "harness.api",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("nas-proxy-harness")
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)
