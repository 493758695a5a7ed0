"""Any table of prepared columns: in the terminal, as Markdown, as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.reporting.columns import Column
from harness.reporting.latex import escape as escape_latex
from harness.reporting.latex import float_of
from harness.reporting.markdown import one_line, table_of
from harness.reporting.numbers import MISSING

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

_NUMBERS = re.compile(r"[-+−<.,\d\[\] ]+")
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


def terminal_grid(grid: Grid) -> Table:
    """The columns for a terminal; best values are bold."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    printed = Table(box=box.HORIZONTALS, show_edge=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in grid.columns:
        printed.add_column(Text(column.header, justify=column.justify), justify=column.justify, no_wrap=True)
    for index in range(_rows(grid.columns)):
        styles = ["bold" if column.bold and column.bold[index] else "" for column in grid.columns]
        cells = [column.cells[index] for column in grid.columns]
        printed.add_row(*(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)))
    return printed


def markdown_grid(grid: Grid) -> str:
    """The title, the table and the notes as Markdown."""
    blocks = [f"## {grid.title}", table_of([one_line(column) for column in grid.columns])]
    if grid.notes:
        blocks.append("\n".join(f"- {note}" for note in grid.notes))
    return "\n\n".join(blocks) + "\n"


def latex_grid(grid: Grid, facts: str = "") -> str:
    """The table as a float with the rules of ``booktabs``; title, facts and notes are the caption.

    Args:
        grid: the table.
        facts: what the numbers rest on, for the caption.
    """
    cells = {_header(column, place): _latex_cells(column) for place, column in enumerate(grid.columns)}
    layout = "".join("l" if column.justify == "left" else "r" for column in grid.columns)
    sentences = [grid.title, facts, *grid.notes]
    caption = " ".join(escape_latex(text) + "." * (not text.endswith((".", ":"))) for text in sentences if text)
    return float_of(cells, caption, f"tab:{grid.name}", layout)


def _rows(columns: Sequence[Column]) -> int:
    return len(columns[0].cells) if columns else 0


def _header(column: Column, place: int) -> str:
    # Two columns of one name would be one key.
    return escape_latex(one_line(column).header) or r"\relax " * (place + 1)


def _latex_cells(column: Column) -> list[str]:
    bold = column.bold or (False,) * len(column.cells)
    return [_latex_cell(cell.strip(), best) for cell, best in zip(column.cells, bold, strict=True)]


def _latex_cell(text: str, bold: bool) -> str:
    """Numbers with their intervals as mathematics, words as text; the value is bold, not its interval."""
    if text == MISSING:
        return "--"
    if not _NUMBERS.fullmatch(text):
        return rf"\textbf{{{escape_latex(text)}}}" if bold else escape_latex(text)
    value, _, bounds = _THOUSANDS.sub("{,}", text.replace("−", "-")).partition(" ")
    shown = rf"$\mathbf{{{value}}}$" if bold else f"${value}$"
    return rf"{shown} {{\footnotesize ${bounds}$}}" if bounds else shown
