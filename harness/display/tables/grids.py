"""A table: title, columns, the data behind it, and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.display.tables.columns import Column

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Grid:
    """A table for display, and its data with full precision.

    Attributes:
        name: the stem of its files.
        title: one line above it; the start of the caption in LaTeX.
        columns: the formatted columns.
        data: the data behind it, as written to CSV; None if another table has them.
        notes: sentences below it that readers need to understand it.
        facts: lines above it with facts that the heading does not state.
        styles: the rich style of each row in a terminal.
        sacrifices: names of columns in the order in which a narrow terminal omits them; ``NAME interval`` for the
            bounds of a column.
        names: how many columns name the rows; default: those up to the first text column.
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
        """The number of rows."""
        return len(self.columns[0].cells) if self.columns else 0

    def __repr__(self) -> str:
        """Its title and its size."""
        return f"<table {self.name}: {self.title}; {self.rows} rows, {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        from harness.display.tables.notebook import html_table

        return html_table(self)
