"""Showing a check on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._utils.console import output
from harness.display.tables.terminal import print_columns, print_lines
from harness.gate.words import grid_of

if TYPE_CHECKING:
    from rich.console import Console

    from harness.gate.compare import Checked


def show(checked: Checked, console: Console) -> None:
    """Print the heading, the table and the notes."""
    from rich.text import Text

    console = output(console)
    for name, text in checked.heading:
        console.print(Text(f"{name:14}", style="dim") + Text(text))
    console.print()
    grid = grid_of(checked)
    print_lines(console, print_columns(console, grid))
    console.print(Text(grid.title, style="bold red" if checked.alarms else "bold green"))
