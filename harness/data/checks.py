"""Check that a table is the ground truth of a benchmark: architectures, values and parameter counts."""

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
_ROUNDING = 0.0051
"""How far a mean with two decimals may be from that of its trainings."""


def checked_table(
    frame: pd.DataFrame, table_format: TableFormat, name: str, allow_partial: bool, errors: bool = False
) -> tuple[pd.DataFrame, int]:
    """The benchmark's part of a table, in its order and types, and the number of architectures of the benchmark.

    The table is indexed by architecture. ``errors`` says whether its accuracies were computed from error rates.

    Raises:
        DataError: if architectures are missing, repeated or unknown, a second column names different architectures, a
            value is not allowed by the format, or a column has the wrong content.
    """
    listing = table_format.listing
    expected = table_format.architectures() if listing is None else sorted(frame.index)
    size = len(expected) if listing is None else listing.size
    _check_architectures(frame, expected, size, name, allow_partial)
    described = frame[[]] if listing is None else listing.describe(frame, name)
    _check_other_names(frame, expected, name)
    _check_numbering(frame, table_format, size, name)
    columns = _checked_columns(frame, table_format, described, name)
    check_direction(columns, described, table_format, name, errors)
    if table_format.check is not None:
        table_format.check(columns, name)
    table = described.join(columns)
    return table.reindex([architecture for architecture in expected if architecture in table.index]), size


def _check_architectures(
    frame: pd.DataFrame, expected: Sequence[str], size: int, name: str, allow_partial: bool
) -> None:
    """Check that every architecture occurs exactly once, and nothing else."""
    known = set(expected)
    unknown = [row for row in frame.index if row not in known]
    if unknown:
        raise DataError(
            f"{name}: unknown architecture '{unknown[0]}' ({len(unknown):,} of {len(frame):,} rows are unknown)"
        )
    repeated = frame.index[frame.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"{name}: duplicate architecture '{repeated[0]}' ({len(repeated):,} architectures occur more than once)"
        )
    if len(frame) > size:
        raise DataError(f"{name} has {len(frame):,} architectures, but the benchmark has only {size:,}")
    if not len(frame) or (len(frame) < size and not allow_partial):
        present = set(frame.index)
        first = next((f", first '{row}'" for row in expected if row not in present), "")
        raise DataError(
            f"{name}: {size - len(frame):,} of {size:,} architectures are missing{first}; "
            "give a complete file, or accept a partial one with --allow-partial"
        )


def _check_other_names(frame: pd.DataFrame, expected: Sequence[str], name: str) -> None:
    """Check that any second column of architectures agrees with the first."""
    known: set[str] = set()
    own = np.asarray(frame.index, dtype=object)
    for place, column in enumerate(frame.columns):
        values = frame.iloc[:, place]
        if values.dtype.kind in "biufcmM" or not len(values):
            continue
        texts = values.to_numpy(dtype=object)
        rows = np.flatnonzero(texts != own)
        known = known or set(expected)
        # A column that is not all strings may hold anything, such as lists.
        if len(rows) and all(isinstance(text, str) and text in known for text in texts):
            raise DataError(
                f"{name}: the columns of architectures '{frame.index.name or 'arch'}' and '{column}' disagree: in row "
                f"{rows[0] + 1:,} they have '{own[rows[0]]}' and '{texts[rows[0]]}' ({len(rows):,} such rows); "
                "keep only the correct column"
            )


def _check_numbering(frame: pd.DataFrame, table_format: TableFormat, size: int, name: str) -> None:
    """Check that a column ``index`` has the published numbers of the architectures."""
    place = next((place for place, column in enumerate(frame.columns) if column_key(column) == _NUMBERS), None)
    if not table_format.order_sha256 or place is None or len(frame) != size:
        return
    values = frame.iloc[:, place]
    if values.dtype.kind not in "iuf":
        return
    order = frame.index[np.argsort(values.to_numpy(dtype=np.float64), kind="stable")]
    if hashlib.sha256("\n".join(order).encode()).hexdigest() != table_format.order_sha256:
        raise DataError(
            f"{name}: the columns '{frame.columns[place]}' and '{frame.index.name or 'arch'}' disagree: these are "
            "not the published numbers of the architectures; rename the column if it only counts rows"
        )


def _checked_columns(
    frame: pd.DataFrame, table_format: TableFormat, described: pd.DataFrame, name: str
) -> pd.DataFrame:
    """The format's columns that the source has, with checked values in the table's types."""
    if not any(column in frame.columns for column in table_format.essential):
        raise DataError(
            f"{name} has no {table_format.kind} column: it needs at least one of {listed(table_format.essential)}, but "
            f"has {listed(frame.columns)}"
        )
    table = frame[[]].copy()
    for column, truth in table_format.truths.items():
        # Where values may be missing, a column without any is no column.
        if column in frame.columns and not (truth.partial and frame[column].isna().all()):
            table[column] = _checked_truth(frame[column], truth, name)
            for single in _trainings_of(column, frame, table_format, name):
                table[single] = _checked_truth(frame[single], truth, name)
            _check_mean(table, column, table_format, name)
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
    """The values of a column, rounded; NaN for architectures that have none."""
    checked = np.full(len(values), np.nan, dtype=np.float32)
    has_value = np.ones(len(values), dtype=bool)
    if truth.networks is not None:
        has_value = np.asarray(values.index.isin(list(truth.networks())), dtype=bool)
        strange = values[~has_value].dropna()
        if len(strange):
            raise DataError(
                f"{name}: column '{values.name}' has {strange.iloc[0]} for '{strange.index[0]}', which is not among "
                f"the {len(truth.networks())} networks of this column ({len(strange):,} such values); leave it empty"
            )
    checked[has_value] = _checked_numbers(values[has_value], truth, name)
    return checked


def _checked_numbers(values: pd.Series[float], truth: Truth, name: str) -> NDArray[np.float32]:
    lowest, highest = truth.limits
    numbers = numbers_of(values, name, missing=truth.partial)
    known = ~np.isnan(numbers)
    wrong = np.flatnonzero(known & ~((numbers >= lowest) & (numbers <= highest)))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' has {numbers[wrong[0]]:g} for '{values.index[wrong[0]]}' "
            f"({len(wrong):,} such values); expected: {lowest:g} to {highest:g}"
        )
    check_percent(values[known], numbers[known], truth, name)
    return numbers.round(truth.decimals).astype(np.float32)


def _trainings_of(column: str, frame: pd.DataFrame, table_format: TableFormat, name: str) -> Sequence[str]:
    """The columns of the single trainings behind a column, of which the source has all or none."""
    columns = table_format.trainings.get(column, ())
    there = [single for single in columns if single in frame.columns]
    if there and len(there) < len(columns):
        absent = next(single for single in columns if single not in there)
        raise DataError(f"{name} has a column '{there[0]}' but no column '{absent}'; give all {len(columns)} or none")
    return there


def _check_mean(table: pd.DataFrame, column: str, table_format: TableFormat, name: str) -> None:
    """Check that a column is the mean of its single trainings, up to rounding."""
    single = [each for each in table_format.trainings.get(column, ()) if each in table.columns]
    if not single:
        return
    mean = table[single].mean(axis=1).to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.abs(mean - table[column].to_numpy(dtype=np.float64)) > _ROUNDING)
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"{name}: column '{column}' is {table[column].iloc[row]:g} for '{table.index[row]}', but the "
            f"{len(single)} single trainings have {mean[row]:g} on average ({len(wrong):,} such rows)"
        )


def _checked_parameters(values: pd.Series[float], counted: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    numbers = numbers_of(values, name)
    wrong = np.flatnonzero(numbers != counted)
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' gives {numbers[wrong[0]]:.12g} parameters for '{values.index[wrong[0]]}', "
            f"but the network has {counted[wrong[0]]} ({len(wrong):,} rows differ): "
            "this table belongs to another benchmark or another network"
        )
    return counted
