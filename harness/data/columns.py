"""One column per meaning: names that differ only in spelling are the same name, and such columns must agree."""

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
"""Numbers that differ by less are the same accuracy with different rounding."""


def column_key(name: object) -> str:
    """A column's name in lower case, without blanks, hyphens and underscores.

    >>> column_key(" CIFAR-10/Test/200"), column_key("ImageNet16_120/x-valid/200")
    ('cifar10/test/200', 'imagenet16120/xvalid/200')
    """
    return _SPELLING.sub("", str(name)).casefold()


def with_known_names(frame: pd.DataFrame, known: Iterable[str], name: str) -> pd.DataFrame:
    """Rename columns to the known names, ignoring case, blanks, hyphens and underscores.

    Known names that differ only in these must match exactly.

    Raises:
        DataError: if two columns have the same name and different values.
    """
    spelt = list(known)
    keys = [column_key(column) for column in spelt]
    by_key = {key: column for key, column in zip(keys, spelt, strict=True) if keys.count(key) == 1}
    exact = set(spelt)
    names = [column if column in exact else by_key.get(column_key(column), column) for column in frame.columns]
    return one_of_each(frame, names, name)


def one_of_each(frame: pd.DataFrame, names: Sequence[str], name: str) -> pd.DataFrame:
    """Rename columns, and keep only the first of several columns with the same name, if they agree.

    Raises:
        DataError: if two columns with the same name differ.
    """
    first: dict[str, int] = {}
    for place, column in enumerate(names):
        if column in first:
            check_agreement(frame, first[column], place, name, f"two columns mean '{column}' and")
        else:
            first[column] = place
    return frame.iloc[:, list(first.values())].set_axis(list(first), axis="columns")


def check_agreement(frame: pd.DataFrame, one: int, other: int, name: str, what: str) -> None:
    """Refuse two columns with the same meaning and different values, by their positions.

    ``what`` is the start of the message, which continues with "disagree".

    Raises:
        DataError: if they differ; it gives the first differing row, both values and both names.
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
            f"{name}: {what} disagree: in row {row + 1:,} {spelt[0]} has '{left.iloc[row]}' and {spelt[1]} "
            f"'{right.iloc[row]}' ({len(rows):,} such rows); keep only the correct column"
        )


def _differ(left: pd.Series[float], right: pd.Series[float]) -> NDArray[np.bool_]:
    """Where two columns differ. Two missing values are equal, and so are numbers that differ by rounding."""
    import pandas as pd

    numbers = [pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan) for column in (left, right)]
    texts = [column.astype("str").str.strip().to_numpy(dtype=object) for column in (left, right)]
    close = np.abs(numbers[0] - numbers[1]) <= _SAME
    same: NDArray[np.bool_] = close | (texts[0] == texts[1])
    return ~same
