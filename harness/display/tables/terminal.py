"""The tables on a terminal, as wide as it is; plain text when it is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from harness._utils.console import natural_width, output
from harness.display.tables.columns import Column, fit, main_columns
from harness.display.tables.heading import Heading, Headings
from harness.display.tables.numbers import MISSING, align, coefficient, counted
from harness.display.tables.rows import (
    VERDICT_MARKS,
    Labels,
    can_be_ranked,
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
    from rich.console import Console

STYLES = {"win": "bold green", "loss": "red", "tie": "", "baseline": "bold", "no baseline": "", "undefined": "dim"}
"""Of the rows; dim is a proxy without a coefficient."""

COST_NOTE = "×: cost in forward + backward passes; own: added to passes shared with others, alone: by itself."


def print_tables(
    console: Console,
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    *,
    subset: str | None = None,
) -> None:
    """Print the heading, the main table and, where there are several sets, Kendall τ in each of them.

    Columns that do not fit are left out, least important first, and named below the table.

    Args:
        console: where to print; its width decides which columns are shown.
        table: rows of :func:`harness.analysis.correlation_table`.
        costs: rows of :func:`harness.analysis.cost_table`, or None.
        heading: the facts printed on top.
        labels: display names of proxies.
        subset: the set shown in the main table; ``all`` where nothing else is said.

    Raises:
        UnknownNameError: if the table has no such set.
    """
    chosen = main_set(table, subset)
    rows = set_rows(table, chosen)
    console = output(console)
    print_heading(console, heading)
    if rows.empty:
        console.print(f"No scores in the set '{chosen}'.", markup=False)
        return
    console.print(Text(f"Set '{chosen}': {counted(rows['networks'].max(), 'network')}", style="bold"))
    if not can_be_ranked(rows):
        console.print(Text(" ".join(outcome_notes(rows, labels))))
        return
    columns, left_out = fit(
        main_columns(rows, costs, labels),
        lambda some: natural_width(console, _main_table(some, rows)) <= console.width,
    )
    console.print(_main_table(columns, rows))
    notes = [*outcome_notes(rows, labels), *kind_notes(rows, labels), verdict_note(rows, labels)]
    if any("cost" in column.name for column in columns):
        notes.append(COST_NOTE)
    if left_out:
        notes.append(f"Left out at this width: {', '.join(left_out)}.")
    for note in notes:
        console.print(Text(note, style="dim"))
    if has_several_sets(table):
        console.print()
        console.print(Text("Kendall τ in each set", style="bold"))
        console.print(_sets_table(table, chosen, labels))
        for note in set_notes(table, chosen, heading.sets):
            console.print(Text(note, style="dim"))


def print_heading(console: Console, heading: Heading | Headings) -> None:
    """Print the facts that a table rests on; noise is announced in red."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in heading.entries():
        loud = "bold red" if heading.noise and "NOISE" in text else ""
        grid.add_row(Text(name), Text(text, style=loud))
    console = output(console)
    console.print(grid)
    console.print()


def _empty_table() -> Table:
    return Table(box=box.HORIZONTALS, show_edge=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")


def _main_table(columns: Sequence[Column], rows: pd.DataFrame) -> Table:
    printed = _empty_table()
    for column in columns:
        printed.add_column(Text(column.header, justify=column.justify), justify=column.justify, no_wrap=True)
    for index, verdict in enumerate(rows["verdict"]):
        printed.add_row(*(Text(column.cells[index]) for column in columns), style=STYLES.get(verdict, ""))
    return printed


def _sets_table(table: pd.DataFrame, first: str, labels: Labels | None) -> Table:
    sizes, proxies = side_by_side(table, first)
    printed = _empty_table()
    printed.add_column("Proxy", no_wrap=True, vertical="bottom")
    cells = {}
    for name, size in sizes.items():
        printed.add_column(Text(f"{name}\nn = {size:,}"), no_wrap=True)
        values = align([coefficient(by_set[name]["kendall"]) if name in by_set else MISSING for _, by_set in proxies])
        marks = [VERDICT_MARKS.get(by_set[name]["verdict"], "") if name in by_set else "" for _, by_set in proxies]
        cells[name] = [f"{value} {mark}" for value, mark in zip(values, marks, strict=True)]
    for index, (proxy, _) in enumerate(proxies):
        printed.add_row(Text(label_of(proxy, labels)), *(Text(column[index]) for column in cells.values()))
    return printed
