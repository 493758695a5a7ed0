"""How much rounding may change a score: measured by :mod:`tools.measure_tolerances`, for each proxy."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "tolerances.json"


class FloatTolerance(NamedTuple):
    """The relative changes of a proxy's scores that are taken for rounding.

    Some formulas divide by what may be next to nothing, so that rounding moves a few networks' scores much and most of
    them hardly: one number for all would hide every bug that moves all of them a little.

    Attributes:
        single: of any one network.
        typical: the median over the networks.
    """

    single: float
    typical: float


@functools.cache
def measured() -> dict[str, Any]:
    """The whole record: what was varied, what was found, and the tolerances that follow."""
    record: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return record


def float_tolerance(proxy: str) -> FloatTolerance:
    """What is taken for rounding; a proxy that was not measured gets the widest tolerances of those that were."""
    record = measured()
    return FloatTolerance(**record["tolerances"].get(proxy, record["default"]))
