"""Tables as notebooks show them: plain HTML that takes the look of the notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.display.tables.columns import Column
    from harness.display.tables.heading import Heading, Headings


def html_heading(title: str, heading: Heading | Headings) -> str:
    """A title, and the facts that the numbers below it rest on."""
    lines = "<br>".join(escape(line) for line in heading.lines())
    return f"<p><strong>{escape(title)}</strong><br><small>{lines}</small></p>"


def html_table(title: str, columns: Sequence[Column], notes: Iterable[str] = ()) -> str:
    """A table of prepared columns with its title and notes; the best values are bold."""
    heads = "".join(f"<th>{escape(column.header).replace(chr(10), '<br>')}</th>" for column in columns)
    number = len(columns[0].cells) if columns else 0
    rows = "".join(f"<tr>{''.join(_cell(column, row) for column in columns)}</tr>" for row in range(number))
    below = "".join(f"<p><small>{escape(note)}</small></p>" for note in notes)
    caption = f"<caption>{escape(title)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{below}"


def _cell(column: Column, row: int) -> str:
    text = escape(column.cells[row])
    bold = column.bold is not None and column.bold[row]
    return f'<td style="text-align: {column.justify}">{f"<strong>{text}</strong>" if bold else text}</td>'
