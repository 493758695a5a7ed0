"""The terminal that commands print to, or the pipe or file in its place.

Everything that is printed passes one of two doors: tables and formatted text go through :func:`output`, plain lines
through :func:`say`. Both write out characters that a terminal would obey, and both write in ASCII what the encoding of
the output does not know.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from harness._utils.transliteration import is_unicode, tolerate, transliterated
from harness._utils.visible import json_page, visible_page

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
    from rich.segment import Segment
    from rich.table import Table
    from rich.text import Text

WIDTH_ELSEWHERE = 100
"""Columns of the output where it goes to no terminal and ``COLUMNS`` says nothing."""


def console() -> Console:
    """The terminal at its own width; elsewhere as wide as ``COLUMNS`` says, or as ``WIDTH_ELSEWHERE``."""
    from rich.console import Console

    made = Console()
    if not (made.is_terminal or made.is_jupyter or _columns_are_given()):
        made.width = WIDTH_ELSEWHERE
    return output(made)


def output(given: Console | None = None) -> Console:
    """A console that shows text as it is, at its width and in its encoding, without blanks at the ends of lines.

    Args:
        given: the console; that of :func:`console` unless given.
    """
    if given is None:
        return console()
    if not any(isinstance(hook, _Door) for hook in given._render_hooks):
        # A hook by its method; the base class would cost the import of rich where nothing is printed.
        given.push_render_hook(_Door(given))  # type: ignore[arg-type]
    return given


def natural_width(console: Console, renderable: ConsoleRenderable) -> int:
    """How many columns a table or text takes on the console where there is room enough."""
    from rich.measure import Measurement

    shown = _shown(renderable, console.encoding)
    return Measurement.get(console, console.options.update_width(10_000), shown).maximum


def say(text: str, *, err: bool = False) -> None:
    """Print lines of plain text to the output, or to the error stream.

    Args:
        text: one line, or several.
        err: whether it is for the error stream.
    """
    stream = sys.stderr if err else sys.stdout
    tolerate(stream)
    stream.write(transliterated(visible_page(text), stream.encoding) + "\n")
    stream.flush()


def say_json(document: Any) -> None:
    """Print a document as JSON in ASCII, which every encoding has."""
    say(json_page(document, ascii_only=True).rstrip("\n"))


class _Door:
    """A hook of rich's that every renderable passes before it is laid out."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        encoding = self._console.encoding
        return [_Trimmed(_shown(renderable, encoding), encoding) for renderable in renderables]


class _Trimmed:
    """A renderable without blanks at the ends of its lines."""

    def __init__(self, renderable: ConsoleRenderable, encoding: str) -> None:
        self._renderable = renderable
        self._encoding = encoding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line: list[Segment] = []
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
                continue
            *ended, rest = _pieces(segment, self._encoding)
            for piece in ended:
                yield from _without_trailing_blanks([*line, piece])
                yield type(segment).line()
                line = []
            line.append(rest)
        yield from line


def _pieces(segment: Segment, encoding: str) -> list[Segment]:
    """The parts of a segment on each of its lines, with an ellipsis of the layout's that is as wide as it was."""
    text = segment.text if is_unicode(encoding) else segment.text.replace("…", ".")
    return [type(segment)(part, segment.style) for part in text.split("\n")]


def _without_trailing_blanks(line: list[Segment]) -> Iterable[Segment]:
    while line and not line[-1].text.strip(" "):
        line.pop()
    if line:
        *others, last = line
        yield from others
        yield type(last)(last.text.rstrip(" "), last.style)


def _columns_are_given() -> bool:
    import os

    return os.environ.get("COLUMNS", "").isdigit()


def _shown(renderable: Any, encoding: str) -> Any:
    """A text or table as it can be shown in an encoding; the cells of a table are changed in place."""
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
    table.title = None if table.title is None else _shown(table.title, encoding)
    table.caption = None if table.caption is None else _shown(table.caption, encoding)
    if table.box is not None and not is_unicode(encoding):
        table.box = _ascii_box()
    for column in table.columns:
        column.header = _shown(column.header, encoding)
        column._cells[:] = [_shown(cell, encoding) for cell in column._cells]


def _shown_text(text: Text, encoding: str) -> Text:
    """The same text, character for character, with its styles where they were."""
    from rich.text import Span

    plain = text.plain
    if plain.isprintable() and (is_unicode(encoding) or plain.isascii()):
        return text
    parts = [transliterated(visible_page(character), encoding) for character in plain]
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + len(part))
    shown = text.blank_copy("".join(parts))
    shown.spans = [Span(starts[span.start], starts[min(span.end, len(plain))], span.style) for span in text.spans]
    return shown


def _ascii_box() -> Any:
    """Lines above, between and below, as ``box.HORIZONTALS`` has them."""
    from rich.box import Box

    return Box(" -- \n    \n -- \n    \n -- \n -- \n    \n -- \n", ascii=True)
