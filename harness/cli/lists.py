"""Options that take several numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.errors import HarnessError

Number = TypeVar("Number", int, float)


def numbers(text: str, option: str, kind: Callable[[str], Number]) -> list[Number]:
    """Parse a comma-separated list of numbers.

    >>> numbers("10,100", "--draws", int)
    [10, 100]

    Raises:
        HarnessError: if an entry is not a number of this kind.
    """
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise HarnessError(f"{option} must be comma-separated numbers, not '{text}'") from None
