"""Format accuracies and costs in their own units, with enough digits to distinguish networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from harness.display.tables.numbers import MISSING

_PREFIXES = ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k"))
"""Minimum value, divisor, and prefix."""


def accuracy_writer(values: Iterable[float]) -> Callable[[float], str]:
    """A formatter for accuracies like these: two decimals for percentages, four for fractions and other small numbers.

    >>> accuracy_writer([10, 94.373])(93.7639), accuracy_writer([0.1, 0.943])(0.9376), accuracy_writer([1])(math.nan)
    ('93.76', '0.9376', '–')
    """
    decimals = 2 if max((abs(value) for value in values if math.isfinite(value)), default=0) > 2 else 4
    return lambda value: f"{value:.{decimals}f}" if math.isfinite(value) else MISSING


def signed_writer(write: Callable[[float], str]) -> Callable[[float], str]:
    """The same formatter, with a plus sign for values above zero.

    >>> signed_writer(accuracy_writer([94.0]))(1.234), signed_writer(accuracy_writer([94.0]))(-1.234)
    ('+1.23', '-1.23')
    """
    return lambda value: ("+" if value > 0 and float(write(value)) > 0 else "") + write(value)


def quantity(value: float) -> str:
    """A cost with three significant digits, and a prefix if it is large.

    >>> quantity(1073466), quantity(73306), quantity(4.528029), quantity(98.887521), quantity(344), quantity(math.nan)
    ('1.07 M', '73.3 k', '4.53', '98.9', '344', '–')
    """
    if not math.isfinite(value):
        return MISSING
    factor, prefix = next(((by, prefix) for least, by, prefix in _PREFIXES if abs(value) >= least), (1.0, ""))
    scaled = value / factor
    decimals = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
    return f"{scaled:,.{decimals}f}{prefix}"
