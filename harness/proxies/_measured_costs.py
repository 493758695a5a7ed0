"""The cost of each proxy, measured on the networks that proxies are mostly compared on."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

FILE = Path(__file__).with_name("costs.csv")


@functools.cache
def measured_costs() -> dict[str, float]:
    """The stand-alone cost of each proxy by name, in forward and backward passes.

    Medians over cells of NATS-Bench's topology space with 64 CIFAR-10 images, written by ``python -m tools.make_docs
    --costs RUN``. Proxies that were not measured, such as your own, are missing.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["proxy"]: float(row["passes"]) for row in csv.DictReader(file)}


def cost_in_words(proxy: str) -> str:
    """The cost with two digits, for a table; a dash if it was not measured.

    >>> cost_in_words("grad_norm"), cost_in_words("nobody_s")
    ('1.0', '–')
    """
    passes = measured_costs().get(proxy)
    if passes is None:
        return "–"
    if passes < 0.01:
        return "<0.01"
    return f"{passes:.2f}" if passes < 0.995 else f"{passes:.1f}" if passes < 9.95 else f"{passes:.0f}"
