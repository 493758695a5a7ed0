"""The entries of a collection as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from harness.display.tables.numbers import count, counted
from harness.leaderboard.entry import Entry

if TYPE_CHECKING:
    from rich.console import Console


def print_entries(console: Console, entries: Sequence[Entry]) -> None:
    """Print one line per entry, grouped by benchmark, data set and setting."""
    table = Table(title="Entries", title_justify="left", box=box.HORIZONTALS, padding=(0, 1, 0, 0))
    for header in ("proxy", "networks", "no score", "from", "by"):
        table.add_column(header, justify="right" if header in ("networks", "no score") else "left")
    before = None
    for entry in sorted(entries, key=lambda each: (each.benchmark, each.dataset, each.setting_id, each.proxy)):
        place = entry.benchmark, entry.dataset, entry.setting_id
        if place != before:
            table.add_section()
            table.add_row(Text(" · ".join(place), style="bold"))
            before = place
        without = entry.networks - entry.counts.get("ok", 0)
        row = (
            f"  {entry.proxy}@{entry.version}",
            count(entry.networks),
            count(without),
            ", ".join(entry.tags),
            entry.by,
        )
        table.add_row(*map(Text, row))
    console.print(table)
    console.print(f"{counted(len(entries), 'entry', 'entries')}; 'no score': failed, not finite or skipped")
