"""The cost for a budget or a Pareto front: a size that the run scored, or a cost table of the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness._utils.names import unknown_name
from harness.display.tables.rows import label_of
from harness.errors import HarnessError, UnknownNameError
from harness.registry import named_among

if TYPE_CHECKING:
    from harness.analysis.joined import Joined
    from harness.analysis.statistics.jackknife import Floats
    from harness.results import OpenedRun

SIZES = ("params", "flops")
"""Proxies that are also costs."""


@dataclass(frozen=True)
class NetworkCost:
    """The cost of each network.

    Attributes:
        name: the name on the command line.
        label: the display name, with the unit.
        values: one per network of the pool; NaN if unknown.
        source: where the numbers come from, for a note.
    """

    name: str
    label: str
    values: Floats
    source: str


def network_costs(run: OpenedRun, pool: Joined, wanted: Sequence[str]) -> list[NetworkCost]:
    """The requested costs; default: ``params`` and ``flops``, if the run scored them.

    Raises:
        UnknownNameError: if a cost is neither a size that the run scored nor a column of the benchmark's costs.
        DataError: if the benchmark's costs must be imported first.
        HarnessError: if no cost is requested and the run scored no size.
    """
    names = list(dict.fromkeys(wanted)) or [name for name in SIZES if name in pool.proxies]
    if not names:
        raise HarnessError(f"{run.directory} has neither params nor flops; name a cost of {run.benchmark.name}")
    return [_network_cost(run, pool, name) for name in names]


def _network_cost(run: OpenedRun, pool: Joined, name: str) -> NetworkCost:
    known = [size for size in SIZES if size in pool.proxies]
    size = named_among(name, known)
    if size is not None:
        return NetworkCost(size, label_of(size, run.labels), pool.proxies[size].value, "counted by the run")
    costs = run.benchmark.costs(run.setting.dataset)
    if costs is None or name not in costs.values.columns:
        devices = [] if costs is None else list(costs.values.columns)
        raise UnknownNameError(unknown_name(f"cost of {run.benchmark.name}", name, [*known, *devices]))
    values = np.asarray(costs.values[name].reindex(pool.architectures), dtype=np.float64)
    return NetworkCost(name, costs.meanings.get(name, name), values, f"from {costs.source_of(name)}")
