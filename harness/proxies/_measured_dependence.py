"""Which proxies rank networks in another order with other images or at another resolution, as measured."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

FILE = Path(__file__).with_name("dependence.csv")

SAME_ORDER = 0.8
"""From this Kendall τ between two rankings on, a proxy is said not to depend on what differs between them."""

Cause = Literal["images", "resolution"]


class Dependence(NamedTuple):
    """How well the rankings of one proxy by two runs agree that differ in one thing.

    Attributes:
        cause: what differs: ``images`` (photographs or noise) or ``resolution``.
        proxy: the proxy.
        benchmark: the benchmark, with its data set.
        networks: the number of networks with a finite score in both runs.
        kendall: Kendall τ between the scores of the two runs.
    """

    cause: str
    proxy: str
    benchmark: str
    networks: int
    kendall: float


@functools.cache
def measured_dependences() -> tuple[Dependence, ...]:
    """Every measurement, written by ``python -m tools.measure_dependence``."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Dependence(row["cause"], row["proxy"], row["benchmark"], int(row["networks"]), float(row["kendall"]))
            for row in csv.DictReader(file)
        )


def dependent_on(cause: Cause, proxies: Iterable[str]) -> dict[str, Dependence]:
    """Those of the proxies that depend on something, each with its lowest agreement; the lowest first."""
    wanted = set(proxies)
    found = [each for each in measured_dependences() if each.cause == cause and each.proxy in wanted]
    lowest: dict[str, Dependence] = {}
    for each in sorted(found, key=lambda each: each.kendall):
        if each.kendall < SAME_ORDER:
            lowest.setdefault(each.proxy, each)
    return lowest
