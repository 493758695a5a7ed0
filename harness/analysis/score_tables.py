"""Read tables of scores that were computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._utils.arguments import accepts
from harness._utils.arguments import path as path_of
from harness._utils.names import listed
from harness.contracts.dialect import Dialect
from harness.data.columns import column_key
from harness.data.dialects import official
from harness.data.table_files import read_frame
from harness.errors import DataError
from harness.registry import proxy_names

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.benchmark import Benchmark

SCORES = "a table of scores, one row per architecture and one column per proxy"


def keys_of_proxies() -> set[str]:
    """The names, labels and aliases of every registered proxy, as by :func:`harness.data.columns.column_key`."""
    return {column_key(each) for name, others in proxy_names().items() for each in (name, *others)}


@accepts(path=path_of)
def read_score_table(
    path: Path,
    rename: Mapping[str, str] | None = None,
    sentinel: float | None = None,
    benchmark: Benchmark | None = None,
    dataset: str | None = None,
) -> pd.DataFrame:
    """Read a table of scores, one row per architecture and one column per proxy.

    Args:
        path: a table as by :func:`harness.data.table_files.read_frame`.
        rename: maps the table's names of proxies to the harness's.
        sentinel: a number that marks a score that could not be computed; it becomes NaN.
        benchmark: the benchmark whose architectures they are; its dialects are recognised.
        dataset: the data set, for a JSON file with several.

    Raises:
        DataError: if the file cannot be read, or lacks a column of architectures or a column to rename.
    """
    frame = read_frame(path, str(path), wanted=SCORES, columns=keys_of_proxies(), section=dataset)
    dialects: Sequence[Dialect] = benchmark.dialects() if benchmark else ()
    known: Callable[[], Collection[str]] = benchmark.architectures if benchmark else tuple
    table = official(frame, dialects, known, str(path), [])
    lacking = [name for name in rename or {} if name not in table]
    if lacking:
        raise DataError(f"{path} has no column '{lacking[0]}' to rename; it has {listed(table.columns)}")
    numbers = table.rename(columns=dict(rename or {})).select_dtypes("number")
    return numbers if sentinel is None else numbers.replace(sentinel, np.nan)
