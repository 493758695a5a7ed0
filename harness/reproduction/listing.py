"""Print the built-in protocols in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from harness._utils.citations import citation
from harness._utils.console import output
from harness.reproduction.reading import load_protocol, protocol_names

if TYPE_CHECKING:
    from rich.console import Console

    from harness.reproduction.protocol import Part


def print_protocols(console: Console) -> None:
    """Every protocol with its paper and its parts."""
    console = output(console)
    for name in protocol_names():
        protocol = load_protocol(name)
        console.print(Text(name, style="bold"), Text(citation(protocol.citation)))
        console.print(Text(f"  {protocol.summary}", style="dim"))
        grid = Table.grid(padding=(0, 2))
        for part in protocol.parts:
            grid.add_row("", Text(part.name), Text(_facts(part)))
        console.print(grid)
        console.print()


def _facts(part: Part) -> str:
    if part.kind == "unavailable":
        return f"cannot be done here: {part.reason}"
    networks = f"{part.architectures:,} networks" if part.architectures else "unknown number of networks"
    what = "search" if part.kind == "search" else f"{len(part.proxies)} proxies"
    beside = f"; compared with {', '.join(part.published)}" if part.published else ""
    return f"{part.place}, {networks}, {part.truth}, batch of {part.batch_size:,}, {what}{beside}"
