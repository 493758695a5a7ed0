"""Whether a table is the ground truth of a benchmark: its architectures, its values, its parameter counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.data.formats import TableFormat, Truth
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def checked_table(
    frame: pd.DataFrame, table_format: TableFormat, name: str, allow_partial: bool
) -> tuple[pd.DataFrame, int]:
    """What of a table is the benchmark's, in its order and types, and how many architectures the benchmark has.

    Args:
        frame: the table, indexed by architecture.
        table_format: what it must hold.
        name: its name, for the messages.
        allow_partial: whether architectures may be missing.

    Raises:
        DataError: if architectures are missing, repeated or unknown, or a value is not what the format allows.
    """
    if table_format.listing is None:
        expected = table_format.architectures()
        _check_architectures(frame, expected, name, allow_partial)
        size, described = len(expected), frame[[]]
    else:
        expected, size = sorted(frame.index), table_format.listing.size
        _check_listed(frame, size, name, allow_partial)
        described = table_format.listing.describe(frame, name)
    table = described.join(_checked_columns(frame, table_format, described, name))
    return table.reindex([architecture for architecture in expected if architecture in table.index]), size


def _check_architectures(frame: pd.DataFrame, expected: Sequence[str], name: str, allow_partial: bool) -> None:
    """Every architecture exactly once, and no other."""
    known = set(expected)
    unknown = [row for row in frame.index if row not in known]
    if unknown:
        raise DataError(
            f"{name}: '{unknown[0]}' is no architecture of this benchmark ({len(unknown):,} of {len(frame):,} rows)"
        )
    _check_once(frame, name)
    present = set(frame.index)
    missing = [row for row in expected if row not in present]
    if not present or (missing and not allow_partial):
        raise DataError(
            f"{name}: {len(missing):,} of {len(expected):,} architectures are missing, the first is '{missing[0]}'; "
            "give a complete file, or allow a partial one (--allow-partial)"
        )


def _check_listed(frame: pd.DataFrame, size: int, name: str, allow_partial: bool) -> None:
    """Every architecture once, and as many as the benchmark has."""
    _check_once(frame, name)
    if len(frame) > size:
        raise DataError(f"{name} lists {len(frame):,} architectures, but the benchmark has {size:,}")
    if frame.empty or (len(frame) < size and not allow_partial):
        raise DataError(
            f"{name}: {size - len(frame):,} of {size:,} architectures are missing; "
            "give a complete file, or allow a partial one (--allow-partial)"
        )


def _check_once(frame: pd.DataFrame, name: str) -> None:
    repeated = frame.index[frame.index.duplicated()].unique()
    if len(repeated):
        raise DataError(f"{name}: '{repeated[0]}' occurs more than once ({len(repeated):,} architectures do)")


def _checked_columns(
    frame: pd.DataFrame, table_format: TableFormat, described: pd.DataFrame, name: str
) -> pd.DataFrame:
    """The columns of the format that the source has, with their values checked and in the table's types."""
    if not any(column in frame.columns for column in table_format.essential):
        raise DataError(
            f"{name} has no column of {table_format.kind}: one of {', '.join(table_format.essential)} is needed; "
            f"it has {', '.join(map(str, frame.columns)) or 'none'}"
        )
    table = frame[[]].copy()
    for column, truth in table_format.truths.items():
        if column in frame.columns:
            table[column] = _checked_truth(frame[column], truth, name)
    for dataset in table_format.datasets:
        column = f"{dataset}/params"
        if column in frame.columns:
            if table_format.listing is None:
                counted = table_format.parameters(list(frame.index), dataset)
            else:
                counted = table_format.listing.parameters(described, dataset)
            table[column] = _checked_parameters(frame[column], counted, name)
    return table


def _checked_truth(values: pd.Series[float], truth: Truth, name: str) -> NDArray[np.float32]:
    lowest, highest = truth.limits
    numbers = _numbers(values, name)
    wrong = np.flatnonzero(~((numbers >= lowest) & (numbers <= highest)))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' holds {numbers[wrong[0]]:g} for '{values.index[wrong[0]]}' "
            f"({len(wrong):,} such values); wanted: {lowest:g} to {highest:g}"
        )
    if highest == 100 and numbers.max() <= 1:
        raise DataError(f"{name}: column '{values.name}' holds fractions (at most {numbers.max():g}); wanted: percent")
    return numbers.round(truth.decimals).astype(np.float32)


def _checked_parameters(values: pd.Series[float], counted: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    numbers = _numbers(values, name)
    wrong = np.flatnonzero(numbers != counted)
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' gives {numbers[wrong[0]]:.12g} parameters for '{values.index[wrong[0]]}', "
            f"but the network has {counted[wrong[0]]} ({len(wrong):,} rows differ): "
            "this is the table of another benchmark or another network"
        )
    return counted


def _numbers(values: pd.Series[float], name: str) -> NDArray[np.float64]:
    """The values as numbers; what is no number becomes an error that says where it stands."""
    import pandas as pd

    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(numbers))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' holds '{values.iloc[wrong[0]]}', which is no number, for "
            f"'{values.index[wrong[0]]}' ({len(wrong):,} such values)"
        )
    return numbers
