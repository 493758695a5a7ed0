"""Print the built-in protocols in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._utils.citations import citation
from harness.display.tables.columns import words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import counted
from harness.display.tables.terminal import print_grids
from harness.reproduction.reading import load_protocol, protocol_names

if TYPE_CHECKING:
    from rich.console import Console

    from harness.reproduction.protocol import Part, Protocol


def print_protocols(console: Console) -> None:
    """Every protocol with its paper and its parts."""
    print_grids(console, (_grid(load_protocol(name)) for name in protocol_names()))


def _grid(protocol: Protocol) -> Grid:
    columns = (
        words("part", "Part", (part.name for part in protocol.parts)),
        words("facts", "What it needs", map(_facts, protocol.parts)),
    )
    title = f"{protocol.name}: {citation(protocol.citation)}"
    return Grid(protocol.name, title, columns, None, (protocol.summary,))


def _facts(part: Part) -> str:
    if part.kind == "unavailable":
        return f"cannot be done here: {part.reason}"
    if part.kind == "architecture-search":
        limits = f" within {', '.join(part.budgets)}" if part.budgets else ""
        return (
            f"{part.place}, {counted(part.searches, 'search', 'searches')} by {part.algorithm} of "
            f"{part.evaluations:,} networks{limits} with each of {counted(len(part.proxies), 'proxy', 'proxies')}, "
            f"batch of {part.batch_size:,}"
        )
    networks = counted(part.architectures, "network") if part.architectures else "unknown number of networks"
    what = "search" if part.kind == "search" else counted(len(part.proxies), "proxy", "proxies")
    beside = f"; compared with {', '.join(part.published)}" if part.published else ""
    return f"{part.place}, {networks}, {part.truth}, batch of {part.batch_size:,}, {what}{beside}"
