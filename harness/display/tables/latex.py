"""LaTeX tables, with the rules of the package ``booktabs``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from harness._utils.visible import visible
from harness.display.tables.columns import Cell, Column
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, typographic
from harness.display.tables.rows import sentence

LATEX_WIDTH = 88
"""Maximum characters of a table in two columns of a paper; wider tables omit intervals that may be omitted."""

LONGEST_FLOAT = 60
"""Maximum rows of a table on one page; longer tables span several pages."""

MARKS = {"▲": r"^{\dagger}", "▼": r"^{\ddagger}", "◆": r"^{\diamond}", "○": "", "*": "^{*}", "!": "^{!}"}
"""Marks after a number, as standard LaTeX commands."""

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "τ": r"$\tau$",
    "ρ": r"$\rho$",
    "Δ": r"$\Delta$",
    "Σ": r"$\Sigma$",
    "σ": r"$\sigma$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "θ": r"$\theta$",
    "λ": r"$\lambda$",
    "²": r"$^2$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "…": r"\dots{}",
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\to$",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "▲": r"$\dagger$",
    "▼": r"$\ddagger$",
    "◆": r"$\diamond$",
    "○": r"$\circ$",
    "←": r"$\leftarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


def escape(text: str) -> str:
    r"""Escape text so that LaTeX prints it literally.

    >>> print(escape("Kendall's τ of jacob_cov, 95 % of the networks' scores in 'all'"))
    Kendall's $\tau$ of jacob\_cov, 95 \% of the networks' scores in `all'
    """
    quoted = re.sub(r"(?<!\w)'(.*?)'(?!\w)", r"`\1'", visible(text))
    return "".join(SPECIAL.get(character, character) for character in quoted)


def latex_page(blocks: Iterable[str]) -> str:
    r"""Tables for ``\input``, after a comment with the required packages."""
    body = "\n".join(blocks)
    needed = "booktabs,longtable" if "{longtable}" in body else "booktabs"
    return f"% needs \\usepackage{{{needed}}}\n{body}"


def latex_grid(grid: Grid, facts: Iterable[str] = (), notes: Iterable[str] = ()) -> str:
    """The table as a float, or on several pages if it is long; title, facts and notes are the caption.

    Args:
        grid: the table.
        facts: the facts behind the numbers.
        notes: sentences that apply to this table and others.
    """
    import pandas as pd

    columns = grid.columns
    if _characters(columns) > LATEX_WIDTH and any(column.brief for column in columns):
        columns = tuple(column.without_bounds() if column.brief else column for column in columns)
        notes = (*notes, "The intervals are left out because the table would be too wide.")
    caption = " ".join(escape(sentence(text)) for text in (grid.title, *grid.facts, *facts, *grid.notes, *notes))
    heads = [escape(column.title) for column in columns]
    cells: Any = pd.DataFrame(dict(enumerate(map(_cells, columns))))
    styled = cells.style.hide(axis="index").relabel_index(heads, axis="columns")
    where = {"environment": "longtable"}
    if grid.rows <= LONGEST_FLOAT:
        where = {"environment": "table*", "position": "t", "position_float": "centering"}
    text: str = styled.to_latex(
        column_format="".join("l" if column.justify == "left" else "r" for column in columns),
        hrules=True,
        caption=caption,
        label=f"tab:{grid.name}",
        **where,
    )
    return text


def latex_list(title: str, entries: Iterable[tuple[str, str]]) -> str:
    """Sentences, each after its mark."""
    items = "\n".join(f"\\item[{escape(mark)}] {escape(text)}" for mark, text in entries)
    return f"\\paragraph{{{escape(title)}}}\n\\begin{{description}}\n{items}\n\\end{{description}}"


def _characters(columns: Sequence[Column]) -> int:
    """The width of a table in characters."""
    widths = [max(map(len, (column.title, *map(str, column.cells)))) for column in columns]
    return sum(widths) + 2 * (len(widths) - 1)


def _cells(column: Column) -> list[str]:
    """Cells; numbers get space for a minus sign if another row has one, so that decimal points are aligned."""
    cells = column.cells
    written = [_words(cell) if column.write is None else _number(cell) for cell in cells]
    starts = {cell.value[:1] for cell in cells}
    if column.write is None or column.justify == "right" or "-" not in starts or "+" in starts:
        return written
    return [
        text if cell.value[:1] == "-" else rf"\phantom{{$-$}}{text}" for text, cell in zip(written, cells, strict=True)
    ]


def _words(cell: Cell) -> str:
    """Text; a hyphen before a number becomes a minus sign."""
    text = escape(typographic(str(cell)))
    return rf"\textbf{{{text}}}" if cell.best else text


def _number(cell: Cell) -> str:
    """A number with its interval and mark in math mode; only the value is bold."""
    if cell.value in (MISSING, ""):
        return "--" if cell.value else _bounds(cell)
    value = _math(cell.value)
    shown = rf"\mathbf{{{value}}}" if cell.best else value
    return " ".join(filter(None, (f"${shown}{MARKS[cell.mark.strip()] if cell.mark else ''}$", _bounds(cell))))


def _bounds(cell: Cell) -> str:
    return rf"{{\footnotesize ${_math(cell.bounds)}$}}" if cell.bounds else ""


def _math(text: str) -> str:
    """Put words in boxes, and a comma within a number in braces; otherwise LaTeX spaces it like punctuation."""
    text = re.sub(r"[^\W\d_]+ ?", r"\\mbox{\g<0>}", re.sub(r"(?<=\d),(?=\d{3})", "{,}", text))
    return text.replace("−", "-").replace("±", r"\pm ").replace("%", r"\%")
