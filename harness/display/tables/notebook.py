"""Tables for notebooks: plain HTML in the style of the notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.display.tables.grids import Grid
    from harness.display.tables.heading import Facts, Heading, Headings


def html_heading(title: str, heading: Heading | Headings | Facts) -> str:
    """A title, and the facts behind the numbers below it."""
    lines = "<br>".join(escape(line) for line in heading.lines())
    return f"<p><strong>{escape(title)}</strong><br><small>{lines}</small></p>"


def html_table(grid: Grid) -> str:
    """A table with its title and notes; the best values are bold."""
    heads = "".join(f"<th>{escape(column.header).replace(chr(10), '<br>')}</th>" for column in grid.columns)
    shown = [
        [_cell(line, column.justify, best) for line, best in zip(column.lines, column.best, strict=True)]
        for column in grid.columns
    ]
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*shown, strict=True))
    below = "".join(f"<p><small>{escape(note)}</small></p>" for note in grid.notes)
    caption = f"<caption>{escape(grid.title)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{below}"


def _cell(text: str, justify: str, best: bool) -> str:
    shown = f"<strong>{escape(text)}</strong>" if best else escape(text)
    return f'<td style="text-align: {justify}">{shown}</td>'
