"""Generated tables of ground truth that match a benchmark's declared format."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.data import Importable
from harness.data.local_tables import read_table

if TYPE_CHECKING:
    import pandas as pd

    from harness.data import TableFormat, Truth

_ROWS_LISTED = 64
_STANDS_FOR_INFINITY = 1000.0


def format_of(benchmark: Benchmark) -> TableFormat:
    """The table format of an importable benchmark."""
    return cast("Importable", benchmark).table_format()


def made_up_table(benchmark: Benchmark) -> pd.DataFrame:
    """A table with distinct values in every row of every ground truth, spread over the plausible range.

    It is indexed by architecture and has the parameter counts too. Architectures that the format declares to be worse
    than others get worse values; those that have no value in a column get none. They are those of the format or, if
    only a source lists them, some of the imported table.

    Raises:
        DataError: if the architectures come from a table and none was imported.
    """
    import pandas as pd

    table_format = format_of(benchmark)
    if table_format.listing is None:
        frame = pd.DataFrame(index=pd.Index(list(table_format.architectures())))
        for dataset in table_format.datasets:
            frame[f"{dataset}/params"] = table_format.parameters(list(frame.index), dataset)
    else:
        stored = read_table(benchmark.name)
        rows = np.unique(np.linspace(0, len(stored) - 1, _ROWS_LISTED).round().astype(int))
        frame = stored.iloc[rows].copy()
        for dataset in table_format.datasets:
            frame[f"{dataset}/params"] = table_format.listing.parameters(frame, dataset)
    order = _worst_first(table_format, frame)
    for column, truth in table_format.truths.items():
        values = _made_up_values(truth, len(frame))
        made = np.empty_like(values)
        made[order] = values if truth.higher_is_better else values[::-1]
        if truth.networks is not None:
            made[~frame.index.isin(list(truth.networks()))] = np.nan
        frame[column] = made
    return frame


def _worst_first(table_format: TableFormat, frame: pd.DataFrame) -> NDArray[np.intp]:
    """Row positions: those declared worse first, then the others, then those declared better."""
    if table_format.contrast is None:
        return np.arange(len(frame))
    standing = table_format.contrast.better(frame).astype(int) - table_format.contrast.worse(frame)
    return np.argsort(standing, kind="stable")


def _made_up_values(truth: Truth, count: int) -> NDArray[np.float64]:
    """Evenly spaced, rounded values within a column's limits; percentages never look like fractions."""
    lowest, highest = truth.limits
    if truth.is_percent:
        lowest = max(lowest, 2, truth.chance or 0)
    lowest = lowest if math.isfinite(lowest) else min(-_STANDS_FOR_INFINITY, highest - _STANDS_FOR_INFINITY)
    highest = highest if math.isfinite(highest) else max(_STANDS_FOR_INFINITY, lowest + _STANDS_FOR_INFINITY)
    spread: NDArray[np.float64] = np.linspace(lowest, highest, count).round(truth.decimals)
    return spread.clip(lowest, highest)


def write_made(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table, indexed by architecture, as a user's Parquet file."""
    frame.rename_axis("architecture").reset_index().to_parquet(path, index=False)
    return path
