"""A column of a table: its values and their format."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness._utils.visible import visible
from harness.display.tables.numbers import MISSING, coefficient, interval, signed
from harness.display.tables.rows import VERDICT_MARKS, Labels, label_of

if TYPE_CHECKING:
    import pandas as pd


class Cell(NamedTuple):
    """One formatted cell.

    Attributes:
        value: the number or the words.
        bounds: text after a number, such as its interval in brackets; may be empty.
        mark: text after both, such as the mark of a verdict; may be empty.
        best: whether it is the best of its column.
    """

    value: str
    bounds: str
    mark: str
    best: bool

    def __str__(self) -> str:
        """The whole cell on one line."""
        return (" ".join(filter(None, self[:2])) + self.mark).strip()


@dataclass(frozen=True)
class Column:
    """Numbers or words, one per row. Numbers are kept as numbers and formatted for output.

    Attributes:
        name: its name in the note about omitted columns.
        header: its head; may have two lines.
        values: numbers, or texts if ``write`` is None.
        write: the formatter of numbers; None for texts.
        justify: left or right.
        bounds: text after each number, such as its interval.
        marks: text after value and bounds, with a leading space; default: those of the verdicts, if it has numbers.
        verdicts: the verdict on each row, if the column shows it; those without a mark count as none.
        best: which values are the best.
        brief: whether the bounds may be omitted on a narrow page.
        note: a sentence that readers need to understand the column.
    """

    name: str
    header: str
    values: Iterable[Any]
    write: Callable[[Any], str] | None = None
    justify: Literal["left", "right"] = "right"
    bounds: Iterable[str] = ()
    marks: Iterable[str] = ()
    verdicts: Iterable[str] = ()
    best: Iterable[bool] = ()
    brief: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Make all fields as long as the values, all characters of texts visible, and verdicts marks."""
        values = tuple(self.values)
        object.__setattr__(self, "values", tuple(map(visible, values)) if self.write is None else values)
        marked = tuple(verdict if verdict in VERDICT_MARKS else "" for verdict in self.verdicts)
        object.__setattr__(self, "verdicts", marked)
        for name, default in (("bounds", ""), ("verdicts", ""), ("marks", ""), ("best", False)):
            object.__setattr__(self, name, tuple(getattr(self, name)) or (default,) * len(values))
        if self.write is not None and not any(self.marks):
            marks = tuple(f" {VERDICT_MARKS[verdict]}" if verdict else "" for verdict in self.verdicts)
            object.__setattr__(self, "marks", marks)

    @property
    def title(self) -> str:
        """The head on one line."""
        return self.header.replace("-\n", "").replace("\n", " ")

    @property
    def cells(self) -> list[Cell]:
        """One cell per row."""
        texts = self.values if self.write is None else map(self.write, self.values)
        return [Cell(*parts) for parts in zip(texts, self.bounds, self.marks, self.best, strict=True)]

    @property
    def lines(self) -> list[str]:
        """The cells for a fixed-width font, with aligned decimal points and marks.

        >>> estimates("τ", "τ", {"t": [0.578, -0.367], "t_low": [0.5, -0.4], "t_high": [0.6, -0.3]}, "t").lines
        [' .578 [.500, .600]', '-.367 [-.400, -.300]']
        """
        left, cells = self.justify == "left", self.cells
        aligned = left and self.write is not None
        width = max((len(cell.value) for cell in cells), default=0) if aligned else 0
        room = 0 if left else max((len(cell.mark) for cell in cells), default=0)
        return [
            " ".join(filter(None, (cell.value.rjust(width), cell.bounds))) + cell.mark.ljust(room) for cell in cells
        ]

    def without_bounds(self) -> Column:
        """The same column without bounds."""
        return replace(self, header=self.name if "[" in self.header else self.header, bounds=(), brief=False)


def words(name: str, header: str, texts: Iterable[str]) -> Column:
    """A column of words."""
    return Column(name, header, tuple(texts), justify="left")


def row_names(names: Iterable[str], labels: Labels | None) -> Column:
    """The column with the names of the rows."""
    return words("proxy", "Proxy", (label_of(name, labels) for name in names))


def estimates(
    name: str,
    header: str,
    table: pd.DataFrame,
    key: str,
    low: str = "",
    high: str = "",
    *,
    sign: bool = False,
    brief: bool = False,
    verdicts: Iterable[str] = (),
    best: Iterable[bool] = (),
) -> Column:
    """Coefficients with their intervals.

    Args:
        name: the name of the column.
        header: its head.
        table: the table with the numbers.
        key: the column of the values.
        low: the column of the lower bounds; default: ``KEY_low``.
        high: the column of the upper bounds; default: ``KEY_high``.
        sign: whether they are differences, which always have a sign.
        brief: whether the intervals may be omitted on a narrow page.
        verdicts: the verdict whose mark follows each value.
        best: which values are the best.
    """
    pairs = zip(table[low or f"{key}_low"], table[high or f"{key}_high"], strict=True)
    bounds = [interval(*pair, sign=sign).replace(MISSING, "") for pair in pairs]
    write = signed if sign else coefficient
    return Column(name, header, table[key], write, "left", bounds, verdicts=verdicts, best=best, brief=brief)


def best_cells(kinds: Iterable[str], values: Iterable[float], *, highest: bool = True) -> tuple[bool, ...]:
    """Which cells of a column are the best among proxies and aggregates; other rows, such as trainings, do not count.

    >>> best_cells(["proxy", "truth", "aggregate", "proxy"], [0.5, 0.9, 0.7, math.nan])
    (False, False, True, False)
    """
    found = [
        (value if highest else -value) if kind in ("proxy", "aggregate") else math.nan
        for kind, value in zip(kinds, values, strict=True)
    ]
    best = max((value for value in found if not math.isnan(value)), default=math.nan)
    return tuple(value == best for value in found)


def verdict_column(verdicts: Iterable[str]) -> Column:
    """Mark and word of each verdict; a dash for a proxy that could not be compared."""
    said = {verdict: f"{mark} {verdict}" for verdict, mark in VERDICT_MARKS.items()}
    said["baseline"] = VERDICT_MARKS["baseline"]
    verdicts = tuple(verdicts)
    return replace(words("verdict", "Verdict", (said.get(verdict, MISSING) for verdict in verdicts)), verdicts=verdicts)
