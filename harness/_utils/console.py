"""Printing to a terminal, a pipe or a file.

All output goes through one of two functions: tables and formatted text through :func:`output`, plain lines through
:func:`say`. Both escape control characters, and replace characters that the output's encoding lacks by ASCII.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from harness._utils.transliteration import is_unicode, tolerate, transliterated
from harness._utils.visible import json_page, visible_page

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
    from rich.segment import Segment
    from rich.table import Table
    from rich.text import Text

WIDTH_ELSEWHERE = 100
"""The width of output that is not a terminal, if ``COLUMNS`` is not set."""


def console() -> Console:
    """A console with the terminal's width; without a terminal, that of ``COLUMNS``, or ``WIDTH_ELSEWHERE``."""
    from rich.console import Console

    made = Console()
    if not (made.is_terminal or made.is_jupyter or os.environ.get("COLUMNS", "").isdigit()):
        made.width = WIDTH_ELSEWHERE
    return output(made)


def output(given: Console | None = None) -> Console:
    """Set up a console, by default a new one, for safe output in its encoding, without trailing blanks."""
    if given is None:
        return console()
    if not any(isinstance(hook, _Door) for hook in given._render_hooks):
        # Not a subclass of rich's hook, which would import rich even if nothing is printed.
        given.push_render_hook(_Door(given))  # type: ignore[arg-type]
    return given


def natural_width(console: Console, renderable: ConsoleRenderable) -> int:
    """The number of columns that a table or text needs on the console."""
    from rich.measure import Measurement

    shown = _shown(renderable, console.encoding)
    return Measurement.get(console, console.options.update_width(10_000), shown).maximum


def say(text: str, *, err: bool = False) -> None:
    """Print one or several lines of plain text to stdout or stderr."""
    stream = sys.stderr if err else sys.stdout
    tolerate(stream)
    stream.write(transliterated(visible_page(text), stream.encoding) + "\n")
    stream.flush()


def say_json(document: Any) -> None:
    """Print a document as JSON in ASCII, which works in every encoding."""
    say(json_page(document, ascii_only=True).rstrip("\n"))


class _Door:
    """A rich hook that processes every renderable before layout."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        encoding = self._console.encoding
        return [_Trimmed(_shown(renderable, encoding), encoding) for renderable in renderables]


class _Trimmed:
    """A renderable without trailing blanks on its lines."""

    def __init__(self, renderable: ConsoleRenderable, encoding: str) -> None:
        self._renderable = renderable
        self._encoding = encoding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line: list[Segment] = []
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
                continue
            # In ASCII, an ellipsis of rich's layout keeps its width.
            text = segment.text if is_unicode(self._encoding) else segment.text.replace("…", ".")
            *ended, rest = (type(segment)(part, segment.style) for part in text.split("\n"))
            for piece in ended:
                yield from _without_trailing_blanks([*line, piece])
                yield type(segment).line()
                line = []
            line.append(rest)
        yield from line


def _without_trailing_blanks(line: list[Segment]) -> Iterable[Segment]:
    while line and not line[-1].text.strip(" "):
        line.pop()
    if line:
        *others, last = line
        yield from others
        yield type(last)(last.text.rstrip(" "), last.style)


def _shown(renderable: Any, encoding: str) -> Any:
    """Convert a text or table for an encoding; the cells of a table are changed in place."""
    from rich.table import Table
    from rich.text import Text

    if isinstance(renderable, str):
        return transliterated(visible_page(renderable), encoding)
    if isinstance(renderable, Text):
        return _shown_text(renderable, encoding)
    if isinstance(renderable, Table):
        _show_table(renderable, encoding)
    return renderable


def _show_table(table: Table, encoding: str) -> None:
    from rich.box import Box

    table.title, table.caption = _shown(table.title, encoding), _shown(table.caption, encoding)
    if table.box is not None and not is_unicode(encoding):
        # An ASCII version of box.HORIZONTALS.
        table.box = Box(" -- \n    \n -- \n    \n -- \n -- \n    \n -- \n", ascii=True)
    for column in table.columns:
        column.header = _shown(column.header, encoding)
        column._cells[:] = [_shown(cell, encoding) for cell in column._cells]


def _shown_text(text: Text, encoding: str) -> Text:
    """Convert a text character by character, and keep its styles in place."""
    from rich.text import Span

    plain = text.plain
    if plain.isprintable() and (is_unicode(encoding) or plain.isascii()):
        return text
    parts = [transliterated(visible_page(character), encoding) for character in plain]
    starts = [0, *accumulate(map(len, parts))]
    shown = text.blank_copy("".join(parts))
    shown.spans = [Span(starts[span.start], starts[min(span.end, len(plain))], span.style) for span in text.spans]
    return shown
