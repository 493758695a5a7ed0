"""Whether a table is the ground truth of a benchmark: its architectures, its values, its parameter counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness._utils.names import listed
from harness.data.columns import column_key
from harness.data.formats import TableFormat, Truth
from harness.data.plausibility import check_direction, check_percent, numbers_of
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = "index"


def checked_table(
    frame: pd.DataFrame, table_format: TableFormat, name: str, allow_partial: bool, errors: bool = False
) -> tuple[pd.DataFrame, int]:
    """What of a table is the benchmark's, in its order and types, and how many architectures the benchmark has.

    Args:
        frame: the table, indexed by architecture.
        table_format: what it must hold.
        name: its name, for the messages.
        allow_partial: whether architectures may be missing.
        errors: whether the accuracies were made from error rates, for the messages.

    Raises:
        DataError: if architectures are missing, repeated or unknown, another column names other architectures, a value
            is not what the format allows, or a column does not hold what it should.
    """
    if table_format.listing is None:
        expected = table_format.architectures()
        _check_architectures(frame, expected, name, allow_partial)
        size, described = len(expected), frame[[]]
    else:
        expected, size = sorted(frame.index), table_format.listing.size
        _check_listed(frame, size, name, allow_partial)
        described = table_format.listing.describe(frame, name)
    _check_other_names(frame, expected, name)
    _check_numbering(frame, table_format, size, name)
    columns = _checked_columns(frame, table_format, described, name)
    check_direction(columns, described, table_format, name, errors)
    table = described.join(columns)
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


def _check_other_names(frame: pd.DataFrame, expected: Sequence[str], name: str) -> None:
    """A further column of architectures must name those of the rows."""
    known: set[str] = set()
    own = np.asarray(frame.index, dtype=object)
    for place, column in enumerate(frame.columns):
        values = frame.iloc[:, place]
        if values.dtype.kind in "biufcmM" or not len(values):
            continue
        texts = values.to_numpy(dtype=object)
        rows = np.flatnonzero(texts != own)
        known = known or set(expected)
        # What is not of strings alone may hold anything, such as lists.
        if len(rows) and all(isinstance(text, str) and text in known for text in texts):
            raise DataError(
                f"{name}: the columns of architectures '{frame.index.name or 'arch'}' and '{column}' disagree: in row "
                f"{rows[0] + 1:,} they hold '{own[rows[0]]}' and '{texts[rows[0]]}' ({len(rows):,} such rows); "
                "keep only the right column"
            )


def _check_numbering(frame: pd.DataFrame, table_format: TableFormat, size: int, name: str) -> None:
    """A column ``index`` must number the architectures as they are published."""
    place = next((place for place, column in enumerate(frame.columns) if column_key(column) == _NUMBERS), None)
    if not table_format.order_sha256 or place is None or len(frame) != size:
        return
    values = frame.iloc[:, place]
    if values.dtype.kind not in "iuf":
        return
    order = frame.index[np.argsort(values.to_numpy(dtype=np.float64), kind="stable")]
    if hashlib.sha256("\n".join(order).encode()).hexdigest() != table_format.order_sha256:
        raise DataError(
            f"{name}: the columns '{frame.columns[place]}' and '{frame.index.name or 'arch'}' disagree: the numbers "
            "are not those that the architectures are published with; rename the column if it only counts the rows"
        )


def _checked_columns(
    frame: pd.DataFrame, table_format: TableFormat, described: pd.DataFrame, name: str
) -> pd.DataFrame:
    """The columns of the format that the source has, with their values checked and in the table's types."""
    if not any(column in frame.columns for column in table_format.essential):
        raise DataError(
            f"{name} has no column of {table_format.kind}: one of {listed(table_format.essential)} is needed; "
            f"it has {listed(frame.columns)}"
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
    numbers = numbers_of(values, name)
    wrong = np.flatnonzero(~((numbers >= lowest) & (numbers <= highest)))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' holds {numbers[wrong[0]]:g} for '{values.index[wrong[0]]}' "
            f"({len(wrong):,} such values); wanted: {lowest:g} to {highest:g}"
        )
    check_percent(values, numbers, truth, name)
    return numbers.round(truth.decimals).astype(np.float32)


def _checked_parameters(values: pd.Series[float], counted: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    numbers = numbers_of(values, name)
    wrong = np.flatnonzero(numbers != counted)
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' gives {numbers[wrong[0]]:.12g} parameters for '{values.index[wrong[0]]}', "
            f"but the network has {counted[wrong[0]]} ({len(wrong):,} rows differ): "
            "this is the table of another benchmark or another network"
        )
    return counted
