"""A reproduction on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from harness._utils.console import output
from harness.reproduction.cells import (
    HEADER,
    LEGEND,
    SEARCH_HEADER,
    SEARCH_LEGEND,
    SUMMARY_HEADER,
    SUMMARY_LEGEND,
    Cells,
    cells_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from harness.reproduction.reproduce import Reproduction

WORDS = {"Benchmark", "Part", "Data set", "Published in", "Notes"}
"""The columns that go on in the next line where they must."""

LEFT = {"Benchmark", "Proxy", "", "Ours [95 %]", "Part", "Published in", "Notes", "Data set", "Accuracy", "Chosen by"}


def print_reproduction(reproduction: Reproduction, console: Console) -> None:
    """Print one table for each part, then the summary, the searches, what was not run, and the notes."""
    console, cells, protocol = output(console), cells_of(reproduction), reproduction.protocol
    console.print(Text(f"Again: {protocol.title}", style="bold"))
    console.print(Text(protocol.summary, style="dim"))
    for found in reproduction.outcomes:
        rows = cells.rows.get(found.part.name)
        if rows and found.report is not None:
            console.print()
            console.print(Text(f"{found.part.name}: {rows[0][0]}", style="bold"))
            console.print(Text("; ".join(found.report.heading.lines()[1:]), style="dim"))
            if cells.shared[found.part.name]:
                console.print(Text(f"Notes on all of it: {cells.shared[found.part.name]}", style="dim"))
            # The benchmark and the notes on all of it stand above the table.
            own = cells.own[found.part.name]
            console.print(_table(HEADER[1:], [(*row[1:-1], note) for row, note in zip(rows, own, strict=True)]))
    if cells.rows:
        console.print(Text(LEGEND, style="dim"))
    _print_rest(cells, console)


def _print_rest(cells: Cells, console: Console) -> None:
    for title, header, rows, legend in (
        ("Searches", SEARCH_HEADER, cells.searches, SEARCH_LEGEND),
        ("Summary", SUMMARY_HEADER, cells.summary, SUMMARY_LEGEND),
    ):
        if rows:
            console.print()
            console.print(Text(title, style="bold"))
            console.print(_table(header, rows))
            console.print(Text(legend, style="dim"))
    for title, entries in (
        ("Not run", cells.not_run),
        ("What was done otherwise", cells.notes),
        ("Doubted values", cells.doubts),
    ):
        if entries:
            console.print()
            console.print(Text(title, style="bold"))
            grid = Table.grid(padding=(0, 1))
            for mark, text in entries:
                grid.add_row(Text(mark), Text(text))
            console.print(grid)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.HORIZONTALS, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in header:
        table.add_column(Text(name), justify="left" if name in LEFT else "right", no_wrap=name not in WORDS)
    for row in rows:
        table.add_row(*map(Text, row), style="yellow" if any(cell.endswith(" *") for cell in row) else "")
    return table
