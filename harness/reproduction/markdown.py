"""A reproduction as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness._utils.citations import citation
from harness._utils.visible import visible
from harness.reproduction.cells import (
    HEADER,
    LEGEND,
    SEARCH_HEADER,
    SEARCH_LEGEND,
    SUMMARY_HEADER,
    SUMMARY_LEGEND,
    cells_of,
)

if TYPE_CHECKING:
    from harness.reproduction.reproduce import Reproduction


def markdown_page(reproduction: Reproduction) -> str:
    """Title, summary, every row, the choices of searches, what was not run, and the notes."""
    cells, protocol = cells_of(reproduction), reproduction.protocol
    blocks = [f"# Again: {protocol.title}", f"{citation(protocol.citation)}. {protocol.summary}"]
    if cells.summary:
        blocks += ["## Summary", _table(SUMMARY_HEADER, cells.summary), SUMMARY_LEGEND]
    if cells.rows:
        rows = [row for part in cells.rows.values() for row in part]
        blocks += ["## Coefficients", _table(HEADER, rows), LEGEND]
    if cells.searches:
        blocks += ["## Searches", _table(SEARCH_HEADER, cells.searches), SEARCH_LEGEND]
    if cells.not_run:
        blocks += ["## Not run", _list((f"`{name}`: {_escape(why)}") for name, why in cells.not_run)]
    if cells.notes:
        blocks += ["## What was done otherwise", _list(f"**{mark}** {_escape(text)}" for mark, text in cells.notes)]
    if cells.doubts:
        blocks += ["## Doubted values", _list(f"**{mark}** {_escape(text)}" for mark, text in cells.doubts)]
    blocks += ["## Runs", _list(_runs(reproduction))]
    return "\n\n".join(blocks) + "\n"


def _runs(reproduction: Reproduction) -> Iterable[str]:
    for found in reproduction.outcomes:
        if found.report is not None:
            yield f"`{found.part.name}`: {_escape('; '.join(found.report.heading.lines()))}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_escape, line)) + " |" for line in lines)


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _escape(text: str) -> str:
    if set(text) == {"-"}:
        return text
    text = visible(text)
    for character in "\\`*_|":
        text = text.replace(character, f"\\{character}")
    return text.replace("<", "&lt;")
