"""A check on a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness._utils.console import natural_width, output
from harness.display.tables.grids import print_grid, terminal_grid
from harness.gate.words import grid_of

if TYPE_CHECKING:
    from rich.console import Console

    from harness.display.tables.grids import Grid
    from harness.gate.compare import Checked

SACRIFICES = ("rank agreement", "own cost", "largest change", "difference")
"""The columns that are given up first on a narrow page."""


def show(checked: Checked, console: Console) -> None:
    """Print the heading, the table and the notes."""
    from rich.text import Text

    console = output(console)
    for name, text in checked.heading:
        console.print(Text(f"{name:14}", style="dim") + Text(text))
    console.print()
    grid, left_out = _fitting(grid_of(checked), console)
    print_grid(console, grid)
    for note in (*grid.notes, *left_out):
        console.print(Text(note, style="dim"))
    console.print(Text(grid.title, style="bold red" if checked.alarms else "bold green"))


def _fitting(grid: Grid, console: Console) -> tuple[Grid, list[str]]:
    """The grid with as many of its columns as there is room for, and a sentence on the others."""
    left_out: list[str] = []
    for sacrifice in SACRIFICES:
        if natural_width(console, terminal_grid(grid.columns)) <= console.width:
            break
        grid = replace(grid, columns=tuple(column for column in grid.columns if column.name != sacrifice))
        left_out.append(sacrifice)
    return grid, [f"Left out at this width: {', '.join(left_out)}."] if left_out else []
