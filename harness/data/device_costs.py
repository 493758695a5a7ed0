"""Costs of networks on devices, from the tables that a user imports besides the accuracies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts.ground_truth import Costs
from harness.data.further_tables import cost_table_name
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.errors import DataError

if TYPE_CHECKING:
    from harness.data.formats import TableFormat

_SAME = 1e-3
"""How far a cost in two tables may differ, as a share."""


def read_costs(
    benchmark: str, dataset: str, table_format: TableFormat, further: Mapping[str, TableFormat] | None = None
) -> Costs:
    """The imported costs of a benchmark's networks for one data set.

    Args:
        benchmark: the benchmark's name.
        dataset: the data set.
        table_format: the content of its table of costs.
        further: tables of costs from other sources, by name. Their columns come after those of the first. A column that
            two tables have is that of the first, and must be equal in both.

    Raises:
        DataError: if no table was imported, one is damaged or of another version, or two of them disagree.
    """
    formats = {cost_table_name(benchmark, dataset): table_format, **(further or {})}
    names = [name for name in formats if table_path(name).is_file()]
    if not names:
        first, *others = formats
        ways = "".join(f", or: harness data import {name} FILE" for name in others)
        raise DataError(
            f"no costs of {benchmark} for {dataset} in '{table_path(first).parent}'; "
            f"import them with: harness data import {first} FILE ({table_format.obtain}){ways}"
        )
    found = _stored(names[0])
    for name in names[1:]:
        found = _joined(found, _stored(name), names[0], name)
    return found


def _stored(name: str) -> Costs:
    metadata = read_metadata(name)
    return Costs(metadata.source, metadata.columns, read_table(name).astype("float64"))


def _joined(first: Costs, second: Costs, one: str, other: str) -> Costs:
    """The columns of both tables, those in both from the first."""
    # Partial tables may lack different architectures.
    index = first.values.index.union(second.values.index, sort=False)
    here, there = first.values.reindex(index), second.values.reindex(index)
    for column in here.columns.intersection(there.columns):
        apart = np.abs(there[column] / here[column] - 1).to_numpy()
        if np.nanmax(apart, initial=0) > _SAME:
            row = index[int(np.nanargmax(apart))]
            raise DataError(
                f"the tables {one} and {other} disagree: '{column}' of '{row}' is {here[column][row]:g} in one and "
                f"{there[column][row]:g} in the other; one of them belongs to another data set"
            )
    added = [column for column in there.columns if column not in here.columns]
    return Costs(
        first.source,
        {**first.meanings, **{column: second.meanings[column] for column in added}},
        here.join(there[added]),
        {**first.sources, **dict.fromkeys(added, second.source)},
    )
