"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness._utils.visible import visible
from harness.display.tables.columns import Cell
from harness.display.tables.grids import Grid

if TYPE_CHECKING:
    from harness.display.tables.heading import AnyHeading


def markdown_heading(heading: AnyHeading) -> str:
    """The facts as a list; noise inputs are bold."""
    lines = []
    for name, text, noise in heading.entries():
        shown = f"**{escape(text)}**" if noise else escape(text)
        lines.append(f"{escape(name)}: {shown}" if name else shown)
    return markdown_list(lines)


def markdown_grid(grid: Grid) -> str:
    """The title, the table and the notes; best values are bold."""
    blocks = [f"## {escape(grid.title)}", markdown_list(map(escape, grid.facts))]
    if grid.columns:
        rules = [":--" if column.justify == "left" else "--:" for column in grid.columns]
        rows = zip(*(column.cells for column in grid.columns), strict=True)
        lines = [[escape(column.title) for column in grid.columns], rules, *(map(_cell, row) for row in rows)]
        blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    blocks.append(markdown_list(map(escape, grid.notes)))
    return "\n\n".join(filter(None, blocks)) + "\n"


def markdown_list(lines: Iterable[str]) -> str:
    """Lines of Markdown as a bullet list."""
    return "\n".join(f"- {line}" for line in lines)


def _cell(cell: Cell) -> str:
    return f"**{escape(str(cell))}**" if cell.best else escape(str(cell))


def escape(text: str) -> str:
    r"""Escape the characters in a line of text that Markdown would read as markup.

    >>> escape("jacob_cov | <.001")
    'jacob\\_cov \\| &lt;.001'
    """
    text = visible(text)
    for character in "\\`*_|#":
        text = text.replace(character, f"\\{character}")
    return text.replace("<", "&lt;")
