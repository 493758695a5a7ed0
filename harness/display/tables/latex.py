"""The tables as LaTeX, with the rules of the package ``booktabs``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness._utils.visible import visible
from harness.display.tables.heading import Heading
from harness.display.tables.numbers import MISSING, coefficient, count, interval, p_value, signed
from harness.display.tables.rows import (
    Labels,
    Row,
    baseline_row,
    has_several_sets,
    kind_notes,
    label_of,
    main_set,
    outcome_notes,
    set_notes,
    set_rows,
    side_by_side,
)

if TYPE_CHECKING:
    import pandas as pd

DAGGERS = {"win": r"^{\dagger}", "loss": r"^{\ddagger}"}

MARKS = {"▲": r"^{\dagger}", "▼": r"^{\ddagger}", "◆": r"^{\diamond}", "○": ""}
"""Marks of verdicts as they follow a number, in what every LaTeX has."""

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
    r"""Text as LaTeX prints it literally.

    >>> print(escape("#Params, 95 % of jacob_cov in 'all'"))
    \#Params, 95 \% of jacob\_cov in `all'
    """
    return re.sub(r"'([^']*)'", r"`\1'", "".join(SPECIAL.get(character, character) for character in visible(text)))


def latex_tables(table: pd.DataFrame, heading: Heading, labels: Labels | None = None, subset: str | None = None) -> str:
    r"""The main table and, where there are several sets, Kendall τ in each: floats to be read with ``\input``.

    The best coefficients are bold. A dagger marks proxies that rank better than the baseline, a double dagger those
    that rank worse. The captions hold the facts of the heading.

    Raises:
        UnknownNameError: if the table has no such set.
    """
    chosen = main_set(table, subset)
    blocks = ["% needs \\usepackage{booktabs}", _main(set_rows(table, chosen), chosen, heading, labels)]
    if has_several_sets(table):
        blocks.append(_sets(table, chosen, heading, labels))
    return "\n".join(blocks)


def _main(rows: pd.DataFrame, chosen: str, heading: Heading, labels: Labels | None) -> str:
    records = rows.to_dict("records")
    base = baseline_row(rows)
    cells: dict[str, list[str]] = {
        "Proxy": [escape(label_of(row["proxy"], labels)) for row in records],
        r"Kendall $\tau$": _indent([_estimate(row, "kendall", rows) for row in records]),
        r"Spearman $\rho$": _indent([_estimate(row, "spearman", rows) for row in records]),
    }
    if base is not None:
        name = escape(label_of(base["proxy"], labels))
        cells[rf"$\Delta\tau$ to {name}"] = [_difference(row) for row in records]
        cells["$p$"] = [_math(p_value(row["p_value"])) for row in records]
    cells["$n$"] = [count(row["used"]) for row in records]
    sentences = [
        f"Rank correlation with true accuracy on the set `{escape(chosen)}' ($n$ networks used). {_facts(heading)}",
        r"Brackets: 95\,\% intervals. Bold: best.",
        _dagger_note(base, labels),
        *(escape(note) + "." * (not note.endswith(".")) for note in outcome_notes(rows, labels)),
        *map(escape, kind_notes(rows, labels)),
    ]
    column_format = "lll" + ("lr" if base is not None else "") + "r"
    return float_of(cells, " ".join(filter(None, sentences)), "tab:correlations", column_format)


def _sets(table: pd.DataFrame, first: str, heading: Heading, labels: Labels | None) -> str:
    sizes, proxies = side_by_side(table, first)
    cells = {"Proxy": [escape(label_of(proxy, labels)) for proxy, _ in proxies]}
    for name, size in sizes.items():
        best = table.loc[table["set"] == name, "kendall"].max()
        column = []
        for _, by_set in proxies:
            row = by_set.get(name)
            mark = DAGGERS.get(row["verdict"], "") if row else ""
            column.append(_value(coefficient(row["kendall"]), row["kendall"] == best, mark) if row else "--")
        cells[f"{escape(name)} ($n={_math_count(size)}$)"] = _indent(column)
    base = baseline_row(set_rows(table, first))
    notes = f"Bold: best. {_dagger_note(base, labels)}".strip()
    sets = " ".join(map(escape, set_notes(table, first, heading.sets)))
    caption = f"Kendall $\\tau$ in each set of architectures. {_facts(heading)} {notes} {sets}".strip()
    return float_of(cells, caption, "tab:correlations-sets", "l" * len(cells))


def _facts(heading: Heading) -> str:
    return " ".join(f"{escape(line.rstrip('.'))}." for line in heading.lines())


def _dagger_note(base: Row | None, labels: Labels | None) -> str:
    if base is None:
        return ""
    name = escape(label_of(base["proxy"], labels))
    return rf"$\dagger$, $\ddagger$: significantly better, worse than {name}, paired on the same networks."


def _estimate(row: Row, key: str, rows: pd.DataFrame) -> str:
    value = _value(coefficient(row[key]), row[key] == rows[key].max())
    return value + _brackets(interval(row[f"{key}_low"], row[f"{key}_high"]))


def _difference(row: Row) -> str:
    value = _value(signed(row["difference"]), False, DAGGERS.get(row["verdict"], ""))
    return value + _brackets(interval(row["difference_low"], row["difference_high"], sign=True))


def _value(text: str, bold: bool, mark: str = "") -> str:
    if text == MISSING:
        return "--"
    return f"$\\mathbf{{{text}}}{mark}$" if bold else f"${text}{mark}$"


def _indent(cells: list[str]) -> list[str]:
    """Leave room for a minus sign where another row has one, so that the points stand in a column."""
    if not any(cell.startswith("$-") for cell in cells):
        return cells
    return [cell if cell.startswith("$-") else rf"\phantom{{$-$}}{cell}" for cell in cells]


def _brackets(text: str) -> str:
    return "" if text == MISSING else rf" {{\footnotesize ${text}$}}"


def _math(text: str) -> str:
    return "--" if text == MISSING else f"${text}$"


def _math_count(number: int) -> str:
    """Inside math a comma needs braces, or it is spaced like punctuation."""
    return count(number).replace(",", "{,}")


def float_of(cells: dict[str, list[str]], caption: str, label: str, column_format: str) -> str:
    """A floating table of cells that are LaTeX already, by their heads, under its caption."""
    import pandas as pd

    styled: Any = pd.DataFrame(cells).style.hide(axis="index")
    text: str = styled.to_latex(
        environment="table*",
        position="t",
        position_float="centering",
        column_format=column_format,
        hrules=True,
        caption=caption,
        label=label,
    )
    return text
