"""Tables for notebooks: plain HTML in the style of the notebook."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.display.tables.grids import Grid
    from harness.display.tables.heading import AnyHeading


def html_heading(title: str, heading: AnyHeading) -> str:
    """A title, and the facts behind the numbers below it."""
    return _lines(title, map(escape, heading.lines()))


def html_table(grid: Grid) -> str:
    """A table with its title and notes; the best values are bold."""
    heads = "".join(f"<th>{escape(column.header).replace(chr(10), '<br>')}</th>" for column in grid.columns)
    shown = [
        [_cell(line, column.justify, best) for line, best in zip(column.lines, column.best, strict=True)]
        for column in grid.columns
    ]
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*shown, strict=True))
    below = "".join(map(html_note, grid.notes))
    caption = f"<caption>{escape(grid.title)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{below}"


def html_note(text: str) -> str:
    """A sentence below a table."""
    return f"<p><small>{escape(text)}</small></p>"


def html_list(title: str, entries: Iterable[tuple[str, str]]) -> str:
    """Sentences, each after its mark."""
    return _lines(title, (f"<strong>{escape(mark)}</strong> {escape(text)}" for mark, text in entries))


def _lines(title: str, lines: Iterable[str]) -> str:
    return f"<p><strong>{escape(title)}</strong><br><small>{'<br>'.join(lines)}</small></p>"


def _cell(text: str, justify: str, best: bool) -> str:
    shown = f"<strong>{escape(text)}</strong>" if best else escape(text)
    return f'<td style="text-align: {justify}">{shown}</td>'
