"""What documents say of Zen-NAS's search for CIFAR-10, made again: ``results/reference/zen-search``."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from harness.display.tables.numbers import coefficient
from harness.reproduction.architecture_search import per_proxy
from tools.reference_tables import Row, grid, label, listed, minus, table

FOUND = "zen-search/found.csv"


def _found() -> pd.DataFrame:
    """One row per proxy; the notes on what was done differently are not needed here."""
    found = table(FOUND)
    return per_proxy(found.assign(mismatches=found["mismatches"].map(lambda text: (text,))))


def _of(proxy: str) -> Row:
    rows = _found()
    return rows[rows["proxy"] == proxy].to_dict("records")[0]


def searched(proxy: str) -> str:
    """The number of networks that a search with the proxy scored; with several searches, the fewest."""
    return f"{int(_of(proxy)['evaluations']):,}"


def search_best(proxy: str) -> str:
    """The best score that was found."""
    return _number(_of(proxy)["best"])


def search_published(proxy: str) -> str:
    """The score of the best published network within the same budgets."""
    return _number(_of(proxy)["listed_best"])


def search_reached(proxy: str) -> str:
    """After how many networks a search had at least the score of the best published network."""
    after = _of(proxy)["reached_after"]
    return "never" if math.isnan(after) else f"after {after:,.0f} networks"


def search_tau(proxy: str, size: str) -> str:
    """Kendall τ between the score and a size, among all networks that the searches scored."""
    return minus(coefficient(_of(proxy)[f"tau_{size}"]))


def zen_search_table() -> str:
    """What the searches with each proxy found, beside the best published network within the same budgets."""
    rows = [
        [
            label(row["proxy"]),
            f"{row['searches']}",
            f"{int(row['evaluations']):,}",
            _number(row["best"]),
            _number(row["listed_best"]),
            "never" if math.isnan(row["reached_after"]) else f"{row['reached_after']:,.0f}",
            _range(row, "params", 1e6),
            _range(row, "flops", 1e6),
            _range(row, "layers", 1),
            minus(coefficient(row["tau_layers"])),
            minus(coefficient(row["tau_params"])),
        ]
        for row in _found().to_dict("records")
    ]
    head = [
        "proxy", "searches", "networks", "best found", "best published", "reached after", "#Params (million)",
        "#FLOPs (million)", "#Layers", "τ with #Layers", "τ with #Params",
    ]  # fmt: skip
    return grid(head, rows)


def searches_that_reach() -> str:
    """The proxies whose searches found a network with at least the score of the best published one."""
    rows = _found()
    return listed(label(str(name)) for name in rows.loc[rows["reached"] > 0, "proxy"])


def _number(value: float) -> str:
    text = f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.3g}"
    return minus(text)


def _range(row: Row, size: str, unit: float) -> str:
    low, high, published = (float(row[f"{name}"]) / unit for name in (f"{size}_low", f"{size}_high", f"listed_{size}"))
    digits = ".2f" if unit > 1 and high < 10 else ".0f"
    ours = f"{low:{digits}}" if low == high else f"{low:{digits}} to {high:{digits}}"
    return f"{ours} ({published:{digits}})"


MAKERS: tuple[Callable[..., str], ...] = (
    searched, search_best, search_published, search_reached, search_tau, zen_search_table, searches_that_reach,
)  # fmt: skip
"""What may stand after ``made by:``."""
