"""The columns of the main table, and which of them go when the page is narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness._utils.visible import visible
from harness.display.tables.numbers import MISSING, align, coefficient, count, estimate, p_value, ratio, signed
from harness.display.tables.rows import VERDICT_MARKS, Labels, Row, baseline_row, label_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """One column as it is printed.

    Attributes:
        name: what it is called when it has to be left out.
        header: its head; may have two lines.
        cells: one text for each row.
        justify: left for words, right for numbers.
        short: the cells without their intervals, for a narrow page.
        bold: which cells are the best of the column.
    """

    name: str
    header: str
    cells: tuple[str, ...]
    justify: Literal["left", "right"] = "right"
    short: tuple[str, ...] | None = None
    bold: tuple[bool, ...] | None = None

    def __post_init__(self) -> None:
        """A cell is one line in which every character is seen."""
        if not all(map(str.isprintable, self.cells)):
            object.__setattr__(self, "cells", tuple(map(visible, self.cells)))


SACRIFICES = (
    "distinct scores",
    "own cost",
    "ρ interval",
    "used networks",
    "stand-alone cost",
    "rank",
    "p",
    "ρ",
    "Δτ interval",
    "τ interval",
)
"""What is given up first on a narrow page. The files always hold everything."""


def main_columns(rows: pd.DataFrame, costs: pd.DataFrame | None, labels: Labels | None = None) -> list[Column]:
    """Every column of the main table, for the rows of one set."""
    records = rows.to_dict("records")
    columns = [
        Column("rank", "", tuple(_ranks(records))),
        Column("proxy", "Proxy", tuple(label_of(row["proxy"], labels) for row in records), "left"),
        _estimates(records, "τ", "Kendall τ\n[95 %]", "kendall"),
        _estimates(records, "ρ", "Spearman ρ\n[95 %]", "spearman"),
    ]
    base = baseline_row(rows)
    if base is not None:
        name = label_of(base["proxy"], labels)
        verdicts = tuple(_verdict(row["verdict"]) for row in records)
        columns += [
            _estimates(records, "Δτ", f"Δτ to {name}\n[95 %]", "difference", sign=True),
            Column("p", "p", tuple(p_value(row["p_value"]) for row in records)),
            Column("verdict", "Verdict", verdicts, "left"),
        ]
    columns += [
        Column("used networks", "Net-\nworks", tuple(_used(row["used"], rows["networks"].max()) for row in records)),
        Column("distinct scores", "Dis-\ntinct", tuple(count(row["distinct"]) for row in records)),
    ]
    return columns + _cost_columns(records, costs)


def fit(columns: Sequence[Column], fits: Callable[[Sequence[Column]], bool]) -> tuple[list[Column], list[str]]:
    """Give up columns in the order of ``SACRIFICES`` until the rest fits.

    Args:
        columns: all columns.
        fits: whether the page is wide enough for these columns.

    Returns:
        The columns that stay, and the names of what was left out.
    """
    kept, left_out = list(columns), []
    for sacrifice in SACRIFICES:
        if fits(kept):
            break
        shorter = [part for column in kept for part in _without(column, sacrifice)]
        if shorter != kept:
            kept = shorter
            left_out.append(sacrifice)
    dropped_whole = {f"{name} interval" for name in left_out}
    return kept, [name for name in left_out if name not in dropped_whole]


def _without(column: Column, sacrifice: str) -> list[Column]:
    if column.name == sacrifice:
        return []
    if f"{column.name} interval" == sacrifice and column.short is not None:
        return [replace(column, header=column.name, cells=column.short, short=None)]
    return [column]


def _estimates(records: Sequence[Row], name: str, header: str, key: str, *, sign: bool = False) -> Column:
    cells = [estimate(row[key], row[f"{key}_low"], row[f"{key}_high"], sign=sign) for row in records]
    values = [(signed if sign else coefficient)(row[key]) for row in records]
    return Column(name, header, tuple(align(cells)), "left", tuple(align(values)))


def _ranks(records: Sequence[Row]) -> list[str]:
    """Places by Kendall τ; a proxy without a coefficient has none."""
    return [str(place) if row["kendall"] == row["kendall"] else "" for place, row in enumerate(records, start=1)]


def _verdict(verdict: str) -> str:
    """The mark and the word; a proxy that could not be compared has neither."""
    if verdict == "baseline":
        return VERDICT_MARKS[verdict]
    return f"{VERDICT_MARKS[verdict]} {verdict}" if verdict in VERDICT_MARKS else MISSING


def _used(used: float, networks: float) -> str:
    return count(used) if used == networks else f"{count(used)}/{count(networks)}"


def _cost_columns(records: Sequence[Row], costs: pd.DataFrame | None) -> list[Column]:
    if costs is None or costs.empty:
        return []
    by_proxy = costs.set_index("proxy")
    own = by_proxy["own_ratio"].reindex([row["proxy"] for row in records])
    alone = by_proxy["standalone_ratio"].reindex([row["proxy"] for row in records])
    return [
        Column("own cost", "Own\n×", tuple(map(ratio, own))),
        Column("stand-alone cost", "Alone\n×", tuple(map(ratio, alone))),
    ]
