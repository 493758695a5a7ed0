"""Check that a column has plausible numbers: percent rather than fractions, accuracies rather than error rates.

Every value can be within the limits and the column still be wrong. The format declares what reveals it: the unit, the
chance level, and architectures that are known to be worse or better than others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.data.formats import Contrast, TableFormat, Truth
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_NEAR_CHANCE = 0.05
_LEAST_NEAR = 0.07
"""An untrained network is within a twentieth of chance, or within 0.07 points, which is seven of 10,000 images."""

_FEWEST_IN_COLUMN = 10
FEWEST_IN_GROUP = 5
"""With this many values, a few failed trainings do not change the median."""


def as_accuracies(frame: pd.DataFrame, table_format: TableFormat, name: str) -> pd.DataFrame:
    """Convert error rates to accuracies: 100 - x for every x in a percentage column.

    Columns of single trainings, such as ``cifar10/test/108/repeat-1``, are converted with the column that they extend.

    Raises:
        DataError: if no column of the format is an accuracy in percent.
    """
    percent = [column for column, truth in table_format.truths.items() if truth.is_percent and truth.higher_is_better]
    turned = [column for column in frame.columns if any(f"{column}/".startswith(f"{each}/") for each in percent)]
    if not turned:
        raise DataError(f"{name} has no percentage column for --errors to convert to accuracies")
    truths = table_format.truths
    sparse = [column for column in percent if truths[column].has_gaps]
    return frame.assign(**{column: _turned(frame[column], name, column in sparse) for column in turned})


def _turned(values: pd.Series[float], name: str, sparse: bool) -> NDArray[np.float64]:
    has_value = values.notna().to_numpy() | (not sparse)
    turned = np.full(len(values), np.nan)
    turned[has_value] = 100 - numbers_of(values[has_value], name)
    return turned


def numbers_of(values: pd.Series[float], name: str, *, missing: bool = False) -> NDArray[np.float64]:
    """The values of a column as numbers.

    Args:
        values: the column.
        name: the table's name, for messages.
        missing: whether values may be missing; they are NaN then.

    Raises:
        DataError: if a value is not a number; the message says where.
    """
    import pandas as pd

    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(numbers) & (values.notna().to_numpy() | (not missing)))
    if len(wrong):
        value = values.iloc[wrong[0]]
        plain = "; write plain numbers such as 93.5" if isinstance(value, str) else ""
        raise DataError(
            f"{name}: column '{values.name}' has '{value}', which is not a number, for "
            f"'{values.index[wrong[0]]}' ({len(wrong):,} such values){plain}"
        )
    return numbers


def near_chance(numbers: NDArray[np.float64], truth: Truth) -> NDArray[np.bool_]:
    """Which values are at chance level; none if chance is unknown."""
    if truth.chance is None:
        return np.zeros(len(numbers), dtype=bool)
    return np.abs(numbers - truth.chance) <= max(_NEAR_CHANCE * truth.chance, _LEAST_NEAR)


def check_percent(values: pd.Series[float], numbers: NDArray[np.float64], truth: Truth, name: str) -> None:
    """Refuse a percentage column with fractions, in all or some of its rows.

    A value up to 1 counts as a fraction, unless it is near chance or 100 times the value exceeds every other value.

    Raises:
        DataError: if it has fractions; if they are mixed with percent, the message gives a row of each.
    """
    if not truth.is_percent or truth.vanishing or not len(numbers):
        return
    highest, guessed = numbers.max(), near_chance(numbers, truth)
    if highest <= 1:
        if not guessed.all():
            raise DataError(f"{name}: column '{values.name}' has fractions (at most {highest:g}); expected: percent")
        return
    fractions = np.flatnonzero((numbers > 0) & (numbers <= 1) & (100 * numbers <= highest) & ~guessed)
    if len(fractions):
        one, other = fractions[0], np.flatnonzero(numbers > 1)[0]
        raise DataError(
            f"{name}: column '{values.name}' mixes fractions and percent: {numbers[one]:g} for '{values.index[one]}' "
            f"({len(fractions):,} such values) and {numbers[other]:g} for '{values.index[other]}'; expected: percent"
        )


def check_direction(
    table: pd.DataFrame, described: pd.DataFrame, table_format: TableFormat, name: str, errors: bool
) -> None:
    """Refuse a column if half of it is below chance, or if architectures known to be worse have better values.

    ``table`` has the columns of the format as numbers, ``described`` the source's description of its architectures.
    ``errors`` says whether the file was read as error rates.

    Raises:
        DataError: if the direction is wrong; the message says what to do.
    """
    groups = _groups(table_format.contrast, described)
    for column, truth in table_format.truths.items():
        if column not in table.columns:
            continue
        numbers = table[column].to_numpy(dtype=np.float64)
        known = ~np.isnan(numbers)
        found = _under_chance(numbers[known], truth) or _turned_round(
            numbers, known, truth, groups if truth.networks is None else None
        )
        if not found:
            continue
        if not (truth.is_percent and truth.higher_is_better):
            direction = "higher" if truth.higher_is_better else "lower"
            looks, remedy = "has the wrong sign or unit", f"expected: {truth.description}, where {direction} is better"
        elif errors:
            looks, remedy = "does not have error rates", "omit --errors"
        else:
            looks = "looks like an error rate (100 - accuracy)"
            remedy = "give accuracies, or add --errors if every percentage column is an error rate"
        raise DataError(f"{name}: column '{column}' {looks}: {found}; {remedy}")


_Group = tuple[NDArray[np.bool_], str]


def _groups(contrast: Contrast | None, described: pd.DataFrame) -> tuple[_Group, _Group] | None:
    """The rows and descriptions of the worse and the better group; None if a group is too small."""
    if contrast is None:
        return None
    worse, better = contrast.worse(described), contrast.better(described)
    if min(worse.sum(), better.sum()) < FEWEST_IN_GROUP:
        return None
    return (worse, contrast.words[0]), (better, contrast.words[1])


def _under_chance(numbers: NDArray[np.float64], truth: Truth) -> str:
    """What is wrong if the median is below chance, else "". In no benchmark did half of the trainings fail."""
    if truth.chance is None or not truth.higher_is_better or len(numbers) < _FEWEST_IN_COLUMN:
        return ""
    median = np.median(numbers)
    if median >= truth.chance or near_chance(np.array([median]), truth)[0]:
        return ""
    return f"its median is {median:.4g}, but guessing gives {truth.chance:.4g}"


def _turned_round(
    numbers: NDArray[np.float64], known: NDArray[np.bool_], truth: Truth, groups: tuple[_Group, _Group] | None
) -> str:
    """What is wrong if the worse group has the better median, else "". Only known numbers count."""
    if groups is None:
        return ""
    (worse, worse_words), (better, better_words) = ((group & known, words) for group, words in groups)
    if min(worse.sum(), better.sum()) < FEWEST_IN_GROUP:
        return ""
    low, high = np.median(numbers[worse]), np.median(numbers[better])
    if low == high or (low < high) == truth.higher_is_better:
        return ""
    return (
        f"the median of {worse.sum():,} {worse_words} is {low:.4g}, but that of {better.sum():,} {better_words}, which "
        f"are known to be better, is {high:.4g}"
    )
