"""Measure how well zero-shot NAS proxies rank networks by their true accuracy.

The names below are loaded on first use, so that the command line starts without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from harness._moved import keep_old_names

if TYPE_CHECKING:
    __version__: str
    from harness.api import Report, agreement, load, report, run
    from harness.contracts.benchmark import Benchmark
    from harness.contracts.ground_truth import GroundTruth
    from harness.contracts.proxy import Proxy, proxy
    from harness.errors import HarnessError
    from harness.images import load_images
    from harness.ranking import rank
    from harness.results import open_run
    from harness.scoring import score
    from harness.searching import search
    from harness.store.merge import merge
    from harness.tasks import Task

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
    "open_run",
    "proxy",
    "rank",
    "report",
    "run",
    "score",
    "search",
]

_attribute, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "api": ["agreement", "load", "run"],
        "contracts.benchmark": ["Benchmark"],
        "contracts.ground_truth": ["GroundTruth"],
        "contracts.proxy": ["Proxy", "proxy"],
        "errors": ["HarnessError"],
        "images": ["load_images"],
        "ranking": ["rank"],
        "reporting.report": ["Report", "report"],
        "results": ["open_run"],
        "scoring": ["score"],
        "searching": ["search"],
        "store.merge": ["merge"],
        "tasks": ["Task"],
    },
)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("nas-proxy-harness")
    return _attribute(name)


keep_old_names()
