"""One column of each meaning: names that differ only in spelling are one name, and two columns of it must agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SPELLING = re.compile(r"[\s_-]+")
_SAME = 1e-4
"""Numbers that differ by less are the same accuracy, written with other digits."""


def column_key(name: object) -> str:
    """What is left of a column's name without case, blanks, hyphens and underscores.

    >>> column_key(" CIFAR-10/Test/200"), column_key("ImageNet16_120/x-valid/200")
    ('cifar10/test/200', 'imagenet16120/xvalid/200')
    """
    return _SPELLING.sub("", str(name)).casefold()


def with_known_names(frame: pd.DataFrame, known: Iterable[str], name: str) -> pd.DataFrame:
    """The table with the known names for its columns, whatever their case, blanks, hyphens and underscores.

    Args:
        frame: the table.
        known: the names as the format spells them. Two that differ in nothing else must be spelt exactly.
        name: the table's name, for the messages.

    Raises:
        DataError: if two columns have one name and different values.
    """
    spelt = list(known)
    keys = [column_key(column) for column in spelt]
    by_key = {key: column for key, column in zip(keys, spelt, strict=True) if keys.count(key) == 1}
    exact = set(spelt)
    names = [column if column in exact else by_key.get(column_key(column), column) for column in frame.columns]
    return one_of_each(frame, names, name)


def one_of_each(frame: pd.DataFrame, names: Sequence[str], name: str) -> pd.DataFrame:
    """The table with new names, of several columns with one name only the first, if they agree.

    Args:
        frame: the table.
        names: the name of each of its columns.
        name: the table's name, for the messages.

    Raises:
        DataError: if two columns of one name differ.
    """
    first: dict[str, int] = {}
    for place, column in enumerate(names):
        if column in first:
            check_agreement(frame, first[column], place, name, f"two columns mean '{column}' and")
        else:
            first[column] = place
    return frame.iloc[:, list(first.values())].set_axis(list(first), axis="columns")


def check_agreement(frame: pd.DataFrame, one: int, other: int, name: str, what: str) -> None:
    """Refuse two columns of one meaning that hold different values.

    Args:
        frame: the table.
        one: the place of the first column.
        other: the place of the second.
        name: the table's name, for the message.
        what: the beginning of the message; it continues with "disagree".

    Raises:
        DataError: with the first row in which they differ, both values and both names.
    """
    left, right = frame.iloc[:, one], frame.iloc[:, other]
    rows = np.flatnonzero(_differ(left, right))
    if len(rows):
        row = rows[0]
        names = [str(column) for column in (frame.columns[one], frame.columns[other])]
        spelt = [f"'{column}'" for column in names]
        if names[0] == names[1]:
            spelt = [f"'{names[0]}' (column {place + 1})" for place in (one, other)]
        raise DataError(
            f"{name}: {what} disagree: in row {row + 1:,} {spelt[0]} holds '{left.iloc[row]}' and {spelt[1]} "
            f"'{right.iloc[row]}' ({len(rows):,} such rows); keep only the right column"
        )


def _differ(left: pd.Series[float], right: pd.Series[float]) -> NDArray[np.bool_]:
    """Where two columns differ; missing values are equal, and numbers that differ by rounding."""
    import pandas as pd

    numbers = [pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan) for column in (left, right)]
    texts = [column.astype("str").str.strip().to_numpy(dtype=object) for column in (left, right)]
    close = np.abs(numbers[0] - numbers[1]) <= _SAME
    same: NDArray[np.bool_] = close | (texts[0] == texts[1])
    return ~same
