"""Tables of the page: what each cell shows, and by what it is sorted."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness._utils.visible import visible_page
from harness.display.tables.columns import Column
from harness.display.tables.markdown import one_line
from harness.display.tables.numbers import MISSING
from harness.display.tables.rows import VERDICT_MARKS

if TYPE_CHECKING:
    import pandas as pd

    from harness.display.tables.grids import Grid

LARGEST_DOWNLOAD = 100_000
"""Bytes of CSV that the page carries for one table or figure; more would make it slow to open."""

_NUMBER = re.compile(r"[<>+]?\s*(-?(?:\d[\d,]*)?\.?\d+(?:[eE][-+]?\d+)?)")
_PARTS = re.compile(r"(?P<value>.*?)\s*(?P<bounds>\[[^\]]*\])?\s*(?P<rest>[^\[\]]*)", re.DOTALL)
_CLASSES = {mark: verdict for verdict, mark in VERDICT_MARKS.items()}


@dataclass(frozen=True)
class Cell:
    """One cell: a value, perhaps with an interval and a mark, and what it is sorted by.

    Attributes:
        value: the text, without the interval.
        bounds: the interval in brackets, or nothing.
        rest: what follows the interval, such as a mark.
        key: what the cell is sorted by: a number, a text, or None where there is nothing.
        best: whether it is the best of its column.
        verdict: the verdict whose mark it shows, or nothing.
    """

    value: str
    bounds: str
    rest: str
    key: float | str | None
    best: bool
    verdict: str

    @property
    def classes(self) -> tuple[str, ...]:
        """What the style sheet knows it by."""
        return tuple(filter(None, ("best" if self.best else "", self.verdict)))


@dataclass(frozen=True)
class Line:
    """One row of a table.

    Attributes:
        cells: one for each column.
    """

    cells: tuple[Cell, ...]

    @property
    def reference(self) -> bool:
        """Whether it is the baseline's."""
        return {cell.verdict for cell in self.cells} - {""} == {"baseline"}


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes:
        text: what it says.
        aside: the same of its interval, smaller.
        numeric: whether the cells are sorted as numbers, the largest first.
        right: whether they stand at the right.
    """

    text: str
    aside: str
    numeric: bool
    right: bool


@dataclass(frozen=True)
class PageTable:
    """A table as the page shows it.

    Attributes:
        name: its anchor, and the stem of its download.
        title: the caption.
        heads: one for each column.
        rows: below them.
        header: which column names the rows; None where none does.
        notes: sentences below it.
        download: the numbers with every digit as a data URI of CSV; nothing where they would be too large.
    """

    name: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[Line, ...]
    header: int | None
    notes: tuple[str, ...]
    download: str = field(repr=False)


def table_of_grid(grid: Grid) -> PageTable:
    """The table of an exhibit."""
    return page_table(grid.name, grid.title, grid.columns, grid.data, grid.notes)


def page_table(
    name: str, title: str, columns: Sequence[Column], data: pd.DataFrame | None, notes: Sequence[str] = ()
) -> PageTable:
    """Columns as they stand in a terminal, made fit for a page.

    Args:
        name: the anchor.
        title: the caption.
        columns: what is shown.
        data: the numbers behind it, to be downloaded.
        notes: sentences below it.
    """
    shown = [one_line(column) for column in columns]
    numeric = [_is_numeric(column.cells) for column in shown]
    cells = [_cells(column, number) for column, number in zip(shown, numeric, strict=True)]
    header = next((place for place, column in enumerate(shown) if column.justify == "left"), None)
    return PageTable(
        name=name,
        title=title,
        heads=tuple(_head(column, number) for column, number in zip(shown, numeric, strict=True)),
        rows=tuple(map(Line, zip(*cells, strict=True))),
        header=header,
        notes=tuple(notes),
        download="" if data is None else csv_link(data),
    )


def csv_link(data: pd.DataFrame) -> str:
    """A table as a data URI of CSV, or nothing where it is too large."""
    if data.size * 4 > LARGEST_DOWNLOAD:
        return ""
    text = visible_page(data.to_csv(index=False)).encode()
    return f"data:text/csv;base64,{base64.b64encode(text).decode()}" if len(text) <= LARGEST_DOWNLOAD else ""


def sort_number(text: str) -> float | None:
    """The number that a cell begins with, by which it is sorted; None where it begins with none.

    >>> [sort_number(text) for text in (".578 [.546, .610]", "988/1,000", "<.001", "−.2", "+.034", "1,234 ms", "–")]
    [0.578, 988.0, 0.001, -0.2, 0.034, 1234.0, None]
    """
    found = _NUMBER.match(text.strip().replace("−", "-"))
    return float(found[1].replace(",", "")) if found else None


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether every cell that holds anything begins with a number."""
    filled = [cell for cell in cells if cell not in ("", MISSING)]
    return bool(filled) and all(sort_number(cell) is not None for cell in filled)


def _head(column: Column, numeric: bool) -> Head:
    text, bracket, aside = column.header.partition("[")
    return Head(text.strip() or column.name.capitalize(), f"{bracket}{aside}", numeric, column.justify == "right")


def _cells(column: Column, numeric: bool) -> list[Cell]:
    bold = column.bold or (False,) * len(column.cells)
    return [_cell(cell, numeric, best) for cell, best in zip(column.cells, bold, strict=True)]


def _cell(text: str, numeric: bool, best: bool) -> Cell:
    parts = _PARTS.fullmatch(text)
    value, bounds, rest = (parts["value"], parts["bounds"] or "", parts["rest"]) if parts else (text, "", "")
    if not bounds:
        value, rest = text, ""
    key = sort_number(text) if numeric else text.lower()
    verdict = next((_CLASSES[character] for character in text if character in _CLASSES), "")
    return Cell(_minus(value), _minus(bounds), rest, None if text in ("", MISSING) else key, best, verdict)


def _minus(text: str) -> str:
    """Hyphens before a number as minus signs."""
    return re.sub(r"(?<![\w.])-(?=[.\d])", "−", text)
