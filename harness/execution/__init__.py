"""From a plan to scores: units of work, the executors that compute them, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from harness.execution.dask_executor import DaskExecutor
    from harness.execution.progress import ProgressLines

__all__ = ["DaskExecutor", "ProgressLines"]

# Loaded on first use, since workers need neither.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__, submod_attrs={"dask_executor": ["DaskExecutor"], "progress": ["ProgressLines"]}
)
