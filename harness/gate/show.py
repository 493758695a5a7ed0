"""A check on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.gate.words import grid_of
from harness.reporting.grids import terminal_grid

if TYPE_CHECKING:
    from rich.console import Console

    from harness.gate.check import Checked


def show(checked: Checked, console: Console) -> None:
    """Print the heading, the table and the notes."""
    from rich.text import Text

    for name, text in checked.heading:
        console.print(Text(f"{name:14}", style="dim") + Text(text))
    console.print()
    grid = grid_of(checked)
    console.print(terminal_grid(grid))
    for note in grid.notes:
        console.print(Text(note, style="dim"))
    console.print(Text(grid.title, style="bold red" if checked.alarms else "bold green"))
