"""Columns that are named as accuracies: refuse what is no accuracy, or not in one unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

_ACCURACY = re.compile(r"(^|[^a-z])(acc|accs|accuracy|accuracies|top[-_ ]?[15])([^a-z]|$)", re.IGNORECASE)
_CHANCES = (100 / 100, 100 / 120, 100 / 200, 100 / 1000)
"""Accuracies (%) below 1 that guessing gives with common numbers of classes."""
_NEAR_CHANCE = 0.02
_MOSTLY_WRONG = 10.0
_FEWEST = 10


def is_named_accuracy(column: str) -> bool:
    """Whether a column is named as accuracies are.

    >>> is_named_accuracy("robust_acc"), is_named_accuracy("Top-1"), is_named_accuracy("jacov_accel")
    (True, True, False)
    """
    return bool(_ACCURACY.search(column))


def check_accuracies(
    numbers: NDArray[np.float64], architectures: Sequence[Any], words: str, declared: bool, declare: str
) -> None:
    """Refuse accuracies that mix fractions and percent, or that seem to be errors.

    Args:
        numbers: of each architecture; not all need be finite.
        architectures: their names.
        words: the column in words, for messages.
        declared: whether somebody says which way is better.
        declare: how to say so, for messages.

    Raises:
        DataError: if that is so.
    """
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return
    _check_unit(numbers, float(finite.max()), architectures, words)
    if not declared and len(finite) >= _FEWEST and finite.max() > 1:
        under = float(np.mean(finite < _MOSTLY_WRONG))
        if under > 0.9:
            raise DataError(f"{under:.0%} of {words} are under {_MOSTLY_WRONG:g} %: are these errors? {declare}")


def _check_unit(numbers: NDArray[np.float64], highest: float, architectures: Sequence[Any], words: str) -> None:
    """Refuse fractions beside percent; a value that guessing gives is no fraction."""
    with np.errstate(invalid="ignore"):
        guessed = np.any([np.abs(numbers - chance) <= _NEAR_CHANCE for chance in _CHANCES], axis=0)
        small = np.flatnonzero((numbers > 0) & (numbers <= 1) & (100 * numbers <= 1.05 * highest) & ~guessed)
        large = np.flatnonzero(numbers > 1)
    if highest > 1 and len(small) and len(large):
        one, other = small[0], large[0]
        raise DataError(
            f"{words} mixes fractions and percent: {numbers[one]:g} for '{architectures[one]}' "
            f"({len(small):,} such values) and {numbers[other]:g} for '{architectures[other]}'"
        )
