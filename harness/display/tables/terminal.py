"""Tables in the terminal, fitted to its width; plain text if the output is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from harness._utils.console import natural_width, output
from harness.display.tables.columns import Column
from harness.display.tables.grids import Grid

if TYPE_CHECKING:
    from rich.console import Console

    from harness.display.tables.heading import AnyHeading


def print_heading(console: Console, heading: AnyHeading) -> None:
    """Print the facts behind a table; noise inputs are shown in red."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text, noise in heading.entries():
        grid.add_row(Text(name), Text(text, style="bold red" if noise else ""))
    console = output(console)
    console.print(grid)


def print_grids(console: Console, grids: Iterable[Grid]) -> None:
    """Print tables with their titles and notes, a blank line before each."""
    console = output(console)
    for grid in grids:
        console.print()
        console.print(Text(grid.title, style="bold"))
        print_lines(console, grid.facts)
        print_lines(console, print_columns(console, grid))


def print_lines(console: Console, sentences: Iterable[str]) -> None:
    """Print sentences that belong to a table."""
    for sentence in sentences:
        console.print(Text(sentence, style="dim"))


def print_list(console: Console, title: str, entries: Iterable[tuple[str, str]]) -> None:
    """Print sentences, each after its mark, with a blank line before them."""
    grid = Table.grid(padding=(0, 1))
    for entry in entries:
        grid.add_row(*map(Text, entry))
    console = output(console)
    console.print()
    console.print(Text(title, style="bold"))
    console.print(grid)


def print_columns(console: Console, grid: Grid) -> list[str]:
    """Print the columns; returns the sentences that belong below them.

    If they are wider than the terminal, less important columns and intervals are omitted, the least important first.
    If the rest is still too wide, the columns are printed in parts below each other, each with the row names.
    """
    if not grid.columns:
        return list(grid.notes)
    styles = grid.styles or ("",) * grid.rows

    def fits(some: Sequence[Column]) -> bool:
        return natural_width(console, _table(some, styles)) <= console.width

    columns, left_out = list(grid.columns), []
    for sacrifice in grid.sacrifices:
        if fits(columns):
            break
        shorter = [part for column in columns for part in _without(column, sacrifice)]
        if shorter != columns:
            columns = shorter
            left_out.append(sacrifice)
    if not fits(columns) and any(column.brief for column in columns):
        columns = [column.without_bounds() if column.brief else column for column in columns]
        left_out.append("intervals")
    for part in _parts(columns, grid.names, fits):
        console.print(_table(part, styles, wrap=not fits(part)))
    notes = [*grid.notes, *dict.fromkeys(column.note for column in columns if column.note)]
    gone = {f"{name} interval" for name in left_out}
    named = [name for name in left_out if name not in gone]
    return [*notes, *([f"Left out at this width: {', '.join(named)}."] if named else [])]


def _without(column: Column, sacrifice: str) -> list[Column]:
    if column.name == sacrifice:
        return []
    return [column.without_bounds() if column.brief and f"{column.name} interval" == sacrifice else column]


def _parts(columns: Sequence[Column], names: int, fits: Callable[[Sequence[Column]], bool]) -> list[tuple[Column, ...]]:
    """The columns in as many parts as needed for each to fit; all parts start with the row names."""
    first = next((place for place, column in enumerate(columns, start=1) if column.justify == "left"), 1)
    begin, rest = tuple(columns[: names or first]), columns[names or first :]
    parts: list[tuple[Column, ...]] = []
    part = begin
    for column in rest:
        if part != begin and not fits((*part, column)):
            parts.append(part)
            part = begin
        part = (*part, column)
    return [*parts, part]


def _table(columns: Sequence[Column], styles: Sequence[str], *, wrap: bool = False) -> Table:
    """The columns for a terminal; best values are bold, and words may wrap if ``wrap`` is true."""
    printed = Table(box=box.HORIZONTALS, show_edge=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        long = wrap and column is not columns[0] and column.justify == "left"
        printed.add_column(Text(column.header, justify=column.justify), justify=column.justify, no_wrap=not long)
    shown = [
        [Text(line, style="bold" if best else "") for line, best in zip(column.lines, column.best, strict=True)]
        for column in columns
    ]
    for cells, style in zip(zip(*shown, strict=True), styles, strict=True):
        printed.add_row(*cells, style=style)
    return printed
