"""Documented module names of version 0.1, and the modules that replace them.

Importing one still works, with a warning. Version 0.4 will remove them.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "harness.benchmark": ("harness.contracts.benchmark", "harness.contracts.ground_truth", "harness.tasks"),
    "harness.objective": ("harness.tasks",),
    "harness.opened": ("harness.results",),
    "harness.cluster": ("harness.execution.dask_executor",),
    "harness.merging": ("harness.store.merge",),
    "harness.names": ("harness._utils.names",),
    "harness.proxies.base": ("harness.contracts.proxy",),
    "harness.aggregates.base": ("harness.contracts.aggregate",),
    "harness.aggregates.ranks": ("harness.aggregates.literature",),
    "harness.data.tables": ("harness.data.local_tables",),
    "harness.data.costs": ("harness.data.device_costs", "harness.data.further_tables"),
    "harness.data.plain_pickle": ("harness._utils.plain_pickle",),
    "harness.passes": ("harness.probe.passes",),
    "harness.per_sample": ("harness.probe.per_sample",),
    "harness.analysis.ranks": ("harness.analysis.statistics.ranks",),
    "harness.analysis.jackknife": ("harness.analysis.statistics.jackknife",),
    "harness.analysis.correlation": ("harness.analysis.statistics.correlation",),
    "harness.analysis.comparison": ("harness.analysis.statistics.comparison",),
    "harness.analysis.table": ("harness.analysis.correlations",),
    "harness.analysis.across": ("harness.analysis.heatmap",),
    "harness.reporting.style": ("harness.display.figures.style",),
    "harness.reporting.scatter_panel": ("harness.display.figures.scatter_panel",),
    "harness.exhibits.exhibit": ("harness.display.exhibit",),
}
"""Each old name with the modules that now have its contents."""


class _OldNames(MetaPathFinder, Loader):
    """Finds the old modules; their attributes are looked up in the new ones."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        places = [importlib.import_module(place) for place in MOVED[name]]
        warnings.warn(f"{name} is now {' and '.join(MOVED[name])}", DeprecationWarning, stacklevel=2)

        def look_up(attribute: str) -> object:
            for place in places:
                if hasattr(place, attribute):
                    return getattr(place, attribute)
            raise AttributeError(f"module '{name}' has no attribute '{attribute}'")

        module.__dict__["__getattr__"] = look_up


def keep_old_names() -> None:
    """Make the old names importable; repeated calls have no effect."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
