"""How much rounding may change a score, measured per proxy by :mod:`tools.measure_tolerances`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "tolerances.json"


class FloatTolerance(NamedTuple):
    """The relative changes of a proxy's scores that count as rounding.

    Some formulas divide by numbers close to zero, so rounding moves a few networks' scores a lot and most of them
    hardly. A single tolerance would hide bugs that move all scores a little.

    Attributes:
        single: for any one network.
        typical: for the median over networks.
    """

    single: float
    typical: float


@functools.cache
def measured() -> dict[str, Any]:
    """The complete record: what was varied, what was found, and the resulting tolerances."""
    record: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return record


def float_tolerance(proxy: str) -> FloatTolerance:
    """The tolerances of a proxy; one that was not measured gets the widest measured tolerances."""
    record = measured()
    return FloatTolerance(**record["tolerances"].get(proxy, record["default"]))
