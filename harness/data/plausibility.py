"""Whether the numbers of a column are what it says: percent and not fractions, accuracies and not error rates.

Every value can be within the limits and the column still be wrong. What tells is declared with the format: the unit,
what guessing gives, and architectures that are known to be worse and better than others.
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
"""What learned nothing is within a twentieth of chance, or within 0.07 points, which is seven of 10,000 images."""

_FEWEST_IN_COLUMN = 10
FEWEST_IN_GROUP = 5
"""So many values make a median that some failed trainings leave alone."""


def as_accuracies(frame: pd.DataFrame, table_format: TableFormat, name: str) -> pd.DataFrame:
    """The table with 100 - x for every x in a column of percent, for a file that holds error rates.

    Columns of single trainings, such as ``cifar10/test/108/repeat-1``, go with the column that they begin with.

    Raises:
        DataError: if no column of the format is an accuracy in percent.
    """
    percent = [column for column, truth in table_format.truths.items() if truth.is_percent and truth.higher_is_better]
    turned = [column for column in frame.columns if any(f"{column}/".startswith(f"{each}/") for each in percent)]
    if not turned:
        raise DataError(f"{name} has no column of percent: --errors has nothing to turn into accuracies")
    return frame.assign(**{column: 100 - numbers_of(frame[column], name) for column in turned})


def numbers_of(values: pd.Series[float], name: str) -> NDArray[np.float64]:
    """The values of a column as numbers.

    Raises:
        DataError: if a value is not a number; the message says where it stands.
    """
    import pandas as pd

    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(numbers))
    if len(wrong):
        value = values.iloc[wrong[0]]
        plain = "; write numbers such as 93.5, without other signs" if isinstance(value, str) else ""
        raise DataError(
            f"{name}: column '{values.name}' holds '{value}', which is not a number, for "
            f"'{values.index[wrong[0]]}' ({len(wrong):,} such values){plain}"
        )
    return numbers


def near_chance(numbers: NDArray[np.float64], truth: Truth) -> NDArray[np.bool_]:
    """Which values are those of a network that learned nothing; none where chance is not known."""
    if truth.chance is None:
        return np.zeros(len(numbers), dtype=bool)
    return np.abs(numbers - truth.chance) <= max(_NEAR_CHANCE * truth.chance, _LEAST_NEAR)


def check_percent(values: pd.Series[float], numbers: NDArray[np.float64], truth: Truth, name: str) -> None:
    """Refuse a column of percent that holds fractions, in all its rows or in some.

    A value up to 1 is taken for a fraction, unless it is near chance or a hundred times it is above every other value.

    Args:
        values: the column, indexed by architecture.
        numbers: the same as numbers.
        truth: what it should hold.
        name: the table's name, for the message.

    Raises:
        DataError: with a row of each kind where the two are mixed.
    """
    if not truth.is_percent or not len(numbers):
        return
    highest, guessed = numbers.max(), near_chance(numbers, truth)
    if highest <= 1:
        if not guessed.all():
            raise DataError(f"{name}: column '{values.name}' holds fractions (at most {highest:g}); wanted: percent")
        return
    fractions = np.flatnonzero((numbers > 0) & (numbers <= 1) & (100 * numbers <= highest) & ~guessed)
    if len(fractions):
        one, other = fractions[0], np.flatnonzero(numbers > 1)[0]
        raise DataError(
            f"{name}: column '{values.name}' mixes fractions and percent: {numbers[one]:g} for '{values.index[one]}' "
            f"({len(fractions):,} such values) and {numbers[other]:g} for '{values.index[other]}'; wanted: percent"
        )


def check_direction(
    table: pd.DataFrame, described: pd.DataFrame, table_format: TableFormat, name: str, errors: bool
) -> None:
    """Refuse a column of which half lies under chance, or in which what is known to be worse is better.

    Args:
        table: the columns of the format as numbers, indexed by architecture.
        described: what the source says of the architectures, indexed likewise; no columns unless it lists them.
        table_format: what the columns should hold.
        name: the table's name, for the message.
        errors: whether the file was taken for error rates.

    Raises:
        DataError: with what was found, and what to do.
    """
    groups = _groups(table_format.contrast, described)
    for column, truth in table_format.truths.items():
        if column not in table.columns:
            continue
        numbers = table[column].to_numpy(dtype=np.float64)
        found = _under_chance(numbers, truth) or _turned_round(numbers, truth, groups)
        if found:
            raise DataError(
                f"{name}: column '{column}' {_looks_like(truth, errors)}: {found}; {_remedy(truth, errors)}"
            )


_Group = tuple[NDArray[np.bool_], str]


def _groups(contrast: Contrast | None, described: pd.DataFrame) -> tuple[_Group, _Group] | None:
    """The rows of the worse and the better group with their words; None where a group is too small."""
    if contrast is None:
        return None
    worse, better = contrast.worse(described), contrast.better(described)
    if min(worse.sum(), better.sum()) < FEWEST_IN_GROUP:
        return None
    return (worse, contrast.words[0]), (better, contrast.words[1])


def _under_chance(numbers: NDArray[np.float64], truth: Truth) -> str:
    """What is wrong if the median lies under chance, else nothing: in no benchmark did half of the trainings fail."""
    if truth.chance is None or not truth.higher_is_better or len(numbers) < _FEWEST_IN_COLUMN:
        return ""
    median = np.median(numbers)
    if median >= truth.chance or near_chance(np.array([median]), truth)[0]:
        return ""
    return f"half of it is {median:.4g} or less, but guessing gives {truth.chance:.4g}"


def _turned_round(numbers: NDArray[np.float64], truth: Truth, groups: tuple[_Group, _Group] | None) -> str:
    """What is wrong if the worse group has the better median, else nothing."""
    if groups is None:
        return ""
    (worse, worse_words), (better, better_words) = groups
    low, high = np.median(numbers[worse]), np.median(numbers[better])
    if low == high or (low < high) == truth.higher_is_better:
        return ""
    return (
        f"the {worse.sum():,} {worse_words} have {low:.4g} (median), the {better.sum():,} {better_words} {high:.4g}, "
        "though they are better"
    )


def _looks_like(truth: Truth, errors: bool) -> str:
    if not (truth.is_percent and truth.higher_is_better):
        return "has the wrong sign or unit"
    return "holds no error rates" if errors else "looks like an error rate (100 - accuracy)"


def _remedy(truth: Truth, errors: bool) -> str:
    if not (truth.is_percent and truth.higher_is_better):
        return f"wanted: {truth.description}, where {'higher' if truth.higher_is_better else 'lower'} is better"
    if errors:
        return "leave out --errors"
    return "give accuracies, or add --errors if every column of percent in it is an error rate"
