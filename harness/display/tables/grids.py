"""A table: columns under a title, with the numbers behind it and the sentences that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.display.tables.columns import Column

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Grid:
    """A table as it is shown, and its numbers with every digit.

    Attributes:
        name: the stem of its files.
        title: one line above it; the beginning of the caption in LaTeX.
        columns: as they are shown.
        data: the numbers behind it, as they are written to CSV; None where another table has them.
        notes: sentences below it, without which it would be misread.
        facts: lines above it: what its numbers rest on, where the heading does not say so.
        styles: how a terminal shows each row, in rich's words.
        sacrifices: names of columns in the order in which a narrow terminal leaves them out; ``NAME interval`` for the
            bounds of a column.
        names: how many columns name the rows; those up to the first of words unless given.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    data: pd.DataFrame | None
    notes: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    sacrifices: tuple[str, ...] = ()
    names: int = 0

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.columns[0].cells) if self.columns else 0

    def __repr__(self) -> str:
        """Its title and its size."""
        return f"<table {self.name}: {self.title}; {self.rows} rows, {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        from harness.display.tables.notebook import html_table

        return html_table(self)
