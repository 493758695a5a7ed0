"""A reproduction as LaTeX: long tables with the rules of booktabs, and the notes as lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness._utils.citations import citation
from harness.display.tables.latex import escape
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


def latex_page(reproduction: Reproduction) -> str:
    r"""The tables and notes, to be read with ``\input``; they need the packages booktabs and longtable."""
    cells, protocol = cells_of(reproduction), reproduction.protocol
    title = f"{protocol.title} ({citation(protocol.citation)})"
    blocks = ["% needs \\usepackage{booktabs,longtable}"]
    if cells.summary:
        caption = f"Summary of the reproduction of {title}. {SUMMARY_LEGEND}"
        blocks.append(_table(SUMMARY_HEADER, [cells.summary], caption, "llrllrrrr", f"tab:{protocol.name}-summary"))
    if cells.rows:
        caption = f"Rank correlations beside those of {title}. {LEGEND}"
        blocks.append(_table(HEADER, cells.rows.values(), caption, "lllrlrrl", f"tab:{protocol.name}-coefficients"))
    if cells.searches:
        caption = f"Random search beside that of {title}. {SEARCH_LEGEND}"
        blocks.append(_table(SEARCH_HEADER, [cells.searches], caption, "llrlrrrrl", f"tab:{protocol.name}-searches"))
    blocks += [
        _list(heading, entries)
        for heading, entries in (
            ("Not run", cells.not_run),
            ("What was done otherwise", cells.notes),
            ("Doubted values", cells.doubts),
        )
        if entries
    ]
    return "\n\n".join(blocks) + "\n"


def _table(
    header: Sequence[str], groups: Iterable[Sequence[Sequence[str]]], caption: str, columns: str, label: str
) -> str:
    head = _line(header)
    body = "\n\\addlinespace\n".join("\n".join(map(_line, group)) for group in groups)
    return "\n".join(
        [
            f"\\begin{{longtable}}{{{columns}}}",
            f"\\caption{{{escape(caption)}}}\\label{{{label}}}\\\\",
            "\\toprule",
            head,
            "\\midrule",
            "\\endfirsthead",
            "\\toprule",
            head,
            "\\midrule",
            "\\endhead",
            "\\bottomrule",
            "\\endfoot",
            body,
            "\\end{longtable}",
        ]
    )


def _line(texts: Sequence[str]) -> str:
    return " & ".join(map(_cell, texts)) + r" \\"


def _cell(text: str) -> str:
    """A minus sign before a digit is one, not a hyphen."""
    escaped = escape(text)
    for digit in ".0123456789":
        escaped = escaped.replace(f"-{digit}", f"$-${digit}") if _is_number(text) else escaped
    return escaped


def _is_number(text: str) -> bool:
    return bool(text) and set(text) <= set("+-.,0123456789[]± *to")


def _list(heading: str, entries: Sequence[tuple[str, str]]) -> str:
    items = "\n".join(f"\\item[{escape(mark)}] {escape(text)}" for mark, text in entries)
    return f"\\paragraph{{{heading}}}\n\\begin{{description}}\n{items}\n\\end{{description}}"
