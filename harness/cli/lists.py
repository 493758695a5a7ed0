"""Options that hold several numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.errors import HarnessError

Number = TypeVar("Number", int, float)


def numbers(text: str, option: str, kind: Callable[[str], Number]) -> list[Number]:
    """The numbers of a list separated by commas.

    >>> numbers("10,100", "--draws", int)
    [10, 100]

    Raises:
        HarnessError: if something in it is no such number.
    """
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise HarnessError(f"{option} takes numbers separated by commas, not '{text}'") from None
