"""Tables on the page: the contents and the sort key of each cell."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness._utils.visible import csv_text, visible_page
from harness.display.tables.columns import Column
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, typographic

if TYPE_CHECKING:
    import pandas as pd

LARGEST_DOWNLOAD = 100_000
"""Maximum bytes of CSV in the page per table or figure; more would make it slow to open."""


@dataclass(frozen=True)
class PageCell:
    """One cell: a value, possibly with an interval and a mark, and its sort key.

    Attributes:
        value: the text, without the interval.
        bounds: text after a number, such as its interval.
        mark: text after both, such as the mark of a verdict.
        key: the sort key; None if the value is missing.
        best: whether it is the best of its column.
        verdict: the verdict that it shows; may be empty.
    """

    value: str
    bounds: str
    mark: str
    key: str | None
    best: bool
    verdict: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The CSS classes."""
        return tuple(filter(None, ("best" if self.best else "", self.verdict)))


@dataclass(frozen=True)
class PageRow:
    """One row of a table.

    Attributes:
        cells: one per column.
    """

    cells: tuple[PageCell, ...]

    @property
    def reference(self) -> bool:
        """Whether it is the baseline's row."""
        return {cell.verdict for cell in self.cells} - {""} == {"baseline"}


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes:
        text: the text.
        aside: the smaller text for the interval.
        numeric: whether the cells are sorted as numbers, the largest first.
        right: whether the cells are aligned to the right.
    """

    text: str
    aside: str
    numeric: bool
    right: bool


@dataclass(frozen=True)
class PageTable:
    """A table on the page.

    Attributes:
        name: its anchor, and the stem of its download.
        title: the caption.
        heads: one per column.
        rows: the rows below the heads.
        row_header: the place of the column with the names of the rows; None if there is none.
        notes: sentences below it.
        download: the numbers with full precision as a CSV data URI; empty if they are too large.
    """

    name: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[PageRow, ...]
    row_header: int | None
    notes: tuple[str, ...]
    download: str = field(repr=False)


def page_table(grid: Grid) -> PageTable:
    """Convert a table for the page."""
    row_header = next((place for place, column in enumerate(grid.columns) if column.justify == "left"), None)
    cells = [_cells(column) for column in grid.columns]
    return PageTable(
        name=grid.name,
        title=grid.title,
        heads=tuple(map(_head, grid.columns)),
        rows=tuple(map(PageRow, zip(*cells, strict=True))),
        row_header=row_header,
        notes=grid.notes,
        download="" if grid.data is None else csv_link(grid.data),
    )


def csv_link(data: pd.DataFrame) -> str:
    """A table as a CSV data URI; empty if it is too large."""
    if data.size * 4 > LARGEST_DOWNLOAD:
        return ""
    text = visible_page(csv_text(data)).encode()
    return f"data:text/csv;base64,{base64.b64encode(text).decode()}" if len(text) <= LARGEST_DOWNLOAD else ""


def _head(column: Column) -> Head:
    text, bracket, aside = column.title.partition("[")
    named = text.strip() or column.name.capitalize()
    return Head(named, f"{bracket}{aside}", column.write is not None, column.justify == "right")


def _cells(column: Column) -> list[PageCell]:
    return [
        PageCell(typographic(cell.value), typographic(cell.bounds), cell.mark.strip(), _key(value), cell.best, verdict)
        for cell, value, verdict in zip(column.cells, column.values, column.verdicts, strict=True)
    ]


def _key(value: Any) -> str | None:
    """The sort key of a value: numbers with nine digits, words in lower case.

    >>> [_key(value) for value in (0.57841234, 1000, "NASWOT", float("nan"), "–")]
    ['0.57841234', '1000', 'naswot', None, None]
    """
    if isinstance(value, str):
        return None if value in ("", MISSING) else value.lower()
    return f"{value:.9g}" if math.isfinite(value) else None
