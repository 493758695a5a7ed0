"""Any table of prepared columns: in the terminal, as Markdown, as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness._utils.console import natural_width
from harness._utils.visible import visible
from harness.display.tables.columns import Column
from harness.display.tables.latex import MARKS, float_of
from harness.display.tables.latex import escape as escape_latex
from harness.display.tables.markdown import one_line, table_of
from harness.display.tables.numbers import MISSING

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

_NUMBERS = re.compile(rf"([-+−±<.,\d\[\] ]*\d[-+−±<.,\d\[\] ]*?)(?: ?([{''.join(MARKS)}]))?")
LATEX_WIDTH = 88
"""Characters of a table that two columns of a paper hold; beyond it, columns give up what they can do without."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


@dataclass(frozen=True)
class Grid:
    """A table as it is shown, and its numbers with every digit.

    Attributes:
        name: the stem of its files.
        title: one line above it; the beginning of the caption in LaTeX.
        columns: as they are shown.
        data: the numbers behind it, as they are written to CSV.
        notes: sentences below it, without which it would be misread.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    data: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Its title and its size."""
        rows = len(self.columns[0].cells) if self.columns else 0
        return f"<table {self.name}: {self.title}; {rows} rows, {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        from harness.display.tables.notebook import html_table

        return html_table(self.title, self.columns, self.notes)


def print_grid(console: Console, grid: Grid) -> None:
    """Print the columns on a terminal.

    If they are wider than it, they give up the intervals that they can do without; if that does not suffice, they are
    printed in parts below each other, each with the names of the rows.
    """
    columns = grid.columns
    if natural_width(console, terminal_grid(columns)) > console.width:
        columns = _short(columns)

    def fits(some: Sequence[Column]) -> bool:
        return natural_width(console, terminal_grid(some)) <= console.width

    for part in _parts(columns, fits):
        console.print(terminal_grid(part, wrap=not fits(part)))


def terminal_grid(columns: Sequence[Column], *, wrap: bool = False) -> Table:
    """The columns for a terminal; best values are bold.

    Args:
        columns: what is shown.
        wrap: whether words may go on in the next line.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    printed = Table(box=box.HORIZONTALS, show_edge=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        words = wrap and column is not columns[0] and column.justify == "left"
        printed.add_column(Text(column.header, justify=column.justify), justify=column.justify, no_wrap=not words)
    for index in range(_rows(columns)):
        styles = ["bold" if column.bold and column.bold[index] else "" for column in columns]
        cells = [column.cells[index] for column in columns]
        printed.add_row(*(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)))
    return printed


def _parts(columns: Sequence[Column], fits: Callable[[Sequence[Column]], bool]) -> list[tuple[Column, ...]]:
    """The columns in as many parts as are needed for each to fit; all parts begin with what names the rows."""
    place = next((place for place, column in enumerate(columns) if column.justify == "left"), 0)
    names, rest = tuple(columns[: place + 1]), columns[place + 1 :]
    parts: list[tuple[Column, ...]] = []
    part = names
    for column in rest:
        if part != names and not fits((*part, column)):
            parts.append(part)
            part = names
        part = (*part, column)
    return [*parts, part]


def markdown_grid(grid: Grid) -> str:
    """The title, the table and the notes as Markdown."""
    blocks = [f"## {visible(grid.title)}", table_of([one_line(column) for column in grid.columns])]
    if grid.notes:
        blocks.append("\n".join(f"- {visible(note)}" for note in grid.notes))
    return "\n\n".join(blocks) + "\n"


def latex_grid(grid: Grid, facts: str = "") -> str:
    """The table as a float with the rules of ``booktabs``; title, facts and notes are the caption.

    Args:
        grid: the table.
        facts: what the numbers rest on, for the caption.
    """
    columns = grid.columns if _characters(grid.columns) <= LATEX_WIDTH else _short(grid.columns)
    cells = {_header(column, place): _latex_cells(column) for place, column in enumerate(columns)}
    layout = "".join("l" if column.justify == "left" else "r" for column in columns)
    sentences = [grid.title, facts, *grid.notes]
    caption = " ".join(escape_latex(text) + "." * (not text.endswith((".", ":"))) for text in sentences if text)
    return float_of(cells, caption, f"tab:{grid.name}", layout)


def _short(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Without the intervals that columns can do without."""
    return tuple(replace(column, cells=column.short) if column.short else column for column in columns)


def _characters(columns: Sequence[Column]) -> int:
    """How wide a table is, in characters."""
    widths = [max(map(len, (one_line(column).header, *one_line(column).cells))) for column in columns]
    return sum(widths) + 2 * (len(widths) - 1)


def _rows(columns: Sequence[Column]) -> int:
    return len(columns[0].cells) if columns else 0


def _header(column: Column, place: int) -> str:
    # Two columns of one name would be one key.
    return escape_latex(one_line(column).header) or r"\relax " * (place + 1)


def _latex_cells(column: Column) -> list[str]:
    bold = column.bold or (False,) * len(column.cells)
    return [_latex_cell(cell.strip(), best) for cell, best in zip(column.cells, bold, strict=True)]


def _latex_cell(text: str, bold: bool) -> str:
    """Numbers with their intervals and marks as mathematics, words as text; the value alone is bold."""
    if text == MISSING:
        return "--"
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return rf"\textbf{{{escape_latex(text)}}}" if bold else escape_latex(text)
    numbers, mark = found.groups(default="")
    value, _, bounds = _THOUSANDS.sub("{,}", numbers.replace("−", "-").replace("±", r"\pm ")).partition(" ")
    shown = rf"$\mathbf{{{value}}}{MARKS.get(mark, '')}$" if bold else f"${value}{MARKS.get(mark, '')}$"
    return rf"{shown} {{\footnotesize ${bounds}$}}" if bounds else shown
