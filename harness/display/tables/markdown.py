"""The tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness._utils.visible import visible
from harness.display.tables.columns import Column, main_columns
from harness.display.tables.heading import Heading
from harness.display.tables.numbers import MISSING, coefficient, milliseconds, ratio
from harness.display.tables.rows import (
    VERDICT_MARKS,
    Labels,
    has_several_sets,
    kind_notes,
    label_of,
    main_set,
    outcome_notes,
    set_notes,
    set_rows,
    side_by_side,
    verdict_note,
)

if TYPE_CHECKING:
    import pandas as pd


def markdown_tables(
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    subset: str | None = None,
) -> str:
    """The heading, the main table, Kendall τ in each set and the costs, as one Markdown text.

    Raises:
        UnknownNameError: if the table has no such set.
    """
    chosen = main_set(table, subset)
    rows = set_rows(table, chosen)
    blocks = ["# Rank correlation of proxies with true accuracy", _heading(heading), f"## Set '{chosen}'"]
    if rows.empty:
        return "\n\n".join([*blocks, "No scores in this set."]) + "\n"
    notes = [*outcome_notes(rows, labels), *kind_notes(rows, labels), verdict_note(rows, labels)]
    blocks += [
        table_of([one_line(column) for column in main_columns(rows, None, labels)]),
        "\n".join(f"- {escape(note)}" for note in notes),
    ]
    if has_several_sets(table):
        blocks += ["## Kendall τ in each set", table_of(set_columns(table, chosen, labels))]
        notes = set_notes(table, chosen, heading.sets)
        blocks += ["\n".join(f"- {escape(note)}" for note in notes)] if notes else []
    if costs is not None and not costs.empty:
        blocks += [
            "## Costs",
            "Medians for one network, in milliseconds and in forward + backward passes of the same batch (×): *own* is "
            "what the proxy adds to the passes that it shares with others, *alone* what it takes by itself.",
            table_of(cost_columns(costs, labels)),
        ]
    return "\n\n".join(blocks) + "\n"


def _heading(heading: Heading) -> str:
    lines = []
    for name, text in heading.entries():
        loud = f"**{escape(text)}**" if heading.noise and name == "Inputs" else escape(text)
        lines.append(f"- {name}: {loud}" if name else f"- {loud}")
    return "\n".join(lines)


def one_line(column: Column) -> Column:
    """The column with its head and its cells on one line each."""
    header = column.header.replace("-\n", "").replace("\n", " ")
    return replace(column, header=header, cells=tuple(cell.strip() for cell in column.cells), short=None)


def set_columns(table: pd.DataFrame, first: str, labels: Labels | None) -> list[Column]:
    """Kendall τ in each set of architectures, a column for each set."""
    sizes, proxies = side_by_side(table, first)
    columns = [Column("proxy", "Proxy", tuple(label_of(proxy, labels) for proxy, _ in proxies), "left")]
    for name, size in sizes.items():
        cells = []
        for _, by_set in proxies:
            row = by_set.get(name)
            mark = VERDICT_MARKS.get(row["verdict"], "") if row else ""
            cells.append(f"{coefficient(row['kendall'])} {mark}".strip() if row else MISSING)
        columns.append(Column(name, f"{name} (n = {size:,})", tuple(cells), "left"))
    return columns


def cost_columns(costs: pd.DataFrame, labels: Labels | None) -> list[Column]:
    """What each proxy costs."""
    return [
        Column("proxy", "Proxy", tuple(label_of(proxy, labels) for proxy in costs["proxy"]), "left"),
        Column("networks", "Networks", tuple(f"{networks:,}" for networks in costs["networks"])),
        Column("own_ms", "Own (ms)", tuple(map(milliseconds, costs["own_ms"]))),
        Column("standalone_ms", "Alone (ms)", tuple(map(milliseconds, costs["standalone_ms"]))),
        Column("own_ratio", "Own ×", tuple(map(ratio, costs["own_ratio"]))),
        Column("standalone_ratio", "Alone ×", tuple(map(ratio, costs["standalone_ratio"]))),
    ]


def table_of(columns: Sequence[Column]) -> str:
    """The columns as a table; best values are bold."""
    rules = [":--" if column.justify == "left" else "--:" for column in columns]
    lines = [_line(escape(column.header) for column in columns), _line(rules)]
    lines += [_line(cells) for cells in zip(*(_cells(column) for column in columns), strict=True)]
    return "\n".join(lines)


def _cells(column: Column) -> list[str]:
    bold = column.bold or (False,) * len(column.cells)
    return [f"**{escape(cell)}**" if best else escape(cell) for cell, best in zip(column.cells, bold, strict=True)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    r"""A line of text, with the characters that Markdown would read as markup.

    >>> escape("jacob_cov | <.001")
    'jacob\\_cov \\| &lt;.001'
    """
    text = visible(text)
    for character in "\\`*_|#":
        text = text.replace(character, f"\\{character}")
    return text.replace("<", "&lt;")
