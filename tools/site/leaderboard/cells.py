"""The cells of the leaderboard's tables: text, a sort key, and how to mark it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.display.tables.numbers import MISSING, coefficient, interval, ratio, signed, typographic
from tools.site.leaderboard.boards import Estimate

MARKS = {"win": "▲", "tie": "○", "loss": "▼", "baseline": "◆", "undefined": MISSING}

VERDICTS = {
    "win": "better",
    "tie": "no different",
    "loss": "worse",
    "baseline": "baseline",
    "undefined": "not defined",
}
"""The verdicts in words."""


@dataclass(frozen=True)
class Link:
    """A link in a cell.

    Attributes:
        text: its text.
        address: where it leads.
        title: a longer text for those who hover over it or hear it.
    """

    text: str
    address: str
    title: str = ""


@dataclass(frozen=True)
class Bar:
    """A drawing of a coefficient with its interval.

    Attributes:
        style: the interval and the coefficient as CSS variables, in percent of the width of the cell.
        verdict: how the mark is coloured.
    """

    style: str
    verdict: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: the text.
        aside: smaller text after it, such as an interval.
        key: the sort key; None if the value is missing.
        classes: CSS classes.
        links: links after the text.
        link: where the text leads; empty if nowhere.
        more: text that is unfolded on request.
        bar: a drawing.
    """

    text: str = ""
    aside: str = ""
    key: str | None = None
    classes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    link: str = ""
    more: str = ""
    bar: Bar | None = None


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes:
        text: the text.
        aside: smaller text after it.
        numeric: whether the column is sorted as numbers, the largest first.
        sortable: whether it can be sorted.
        explained: what it means, in one sentence.
    """

    text: str
    aside: str = ""
    numeric: bool = False
    sortable: bool = True
    explained: str = ""


@dataclass(frozen=True)
class TableRow:
    """One row of a table, with what filters ask for.

    Attributes:
        cells: one per column.
        needs: what the proxy needs, for filters.
        cost: the cost for filters; empty if unknown.
        reference: whether it is the baseline's row.
        variant: a class for rows that are shown less prominently.
    """

    cells: tuple[Cell, ...]
    needs: tuple[str, ...] = ()
    cost: str = ""
    reference: bool = False
    variant: str = ""

    @property
    def look(self) -> str:
        """The CSS class of the row."""
        return "reference" if self.reference else self.variant


@dataclass(frozen=True)
class Table:
    """A table of the leaderboard.

    Attributes:
        name: its anchor.
        caption: what it shows.
        heads: one per column.
        rows: the rows.
        header: the place of the column that names the rows.
        notes: sentences below it.
        style: CSS variables of the table: where drawings have zero and the baseline.
    """

    name: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[TableRow, ...]
    header: int = 0
    notes: tuple[str, ...] = field(default=())
    style: str = ""


def key_of(value: float) -> str | None:
    """The sort key of a number; None if it is missing.

    >>> key_of(0.57841234), key_of(math.nan)
    ('0.57841', None)
    """
    return f"{value:.5g}" if math.isfinite(value) else None


def words(text: str, *, link: str = "", classes: tuple[str, ...] = ()) -> Cell:
    """A cell of text, sorted without regard to case."""
    return Cell(text, key=text.lower() if text and text != MISSING else None, link=link, classes=classes)


def number(value: float, text: str, aside: str = "", classes: tuple[str, ...] = ()) -> Cell:
    """A cell of a number that is already written."""
    return Cell(typographic(text), typographic(aside), key_of(value), ("right", *classes))


def count(value: int) -> Cell:
    """A cell of a whole number."""
    return number(value, f"{value:,}")


def estimate(value: Estimate, *, sign: bool = False, classes: tuple[str, ...] = ()) -> Cell:
    """A cell of a coefficient with its interval.

    >>> estimate(Estimate(-0.578, -0.6, -0.55))
    Cell(text='−.578', aside='[−.600, −.550]', key='-0.578', classes=('right',), links=(), link='', more='', bar=None)
    """
    bounds = interval(value.low, value.high, sign=sign)
    written = (signed if sign else coefficient)(value.value)
    return number(value.value, written, "" if bounds == MISSING else bounds, classes)


def verdict(name: str) -> Cell:
    """A cell of a verdict after Holm's correction."""
    text = MISSING if name == "undefined" else f"{MARKS[name]} {VERDICTS[name]}"
    order = {"win": "1", "baseline": "2", "tie": "3", "loss": "4"}.get(name)
    return Cell(text, key=order, classes=("verdict", name))


def share(value: float) -> Cell:
    """A cell of a share in percent."""
    return number(value, f"{100 * value:.0f} %" if math.isfinite(value) else MISSING)


def cost(value: float) -> Cell:
    """A cell of a cost in passes."""
    return number(value, ratio(value))


def bars(values: Sequence[Estimate], verdicts: Sequence[str], baseline: float) -> tuple[str, list[Bar | None]]:
    """Drawings of coefficients on one scale, from the lowest interval or zero to the highest interval.

    Returns:
        Where the scale has zero and the baseline, as CSS variables; and the drawings.

    >>> bars([Estimate(0.25, 0.2, 0.5), Estimate(math.nan, math.nan, math.nan)], ["win", "undefined"], 0.1)
    ('--zero:0;--base:20', [Bar(style='--low:40;--high:100;--value:50', verdict='win'), None])
    """
    bounds = [bound for each in values for bound in (each.low, each.high, each.value) if math.isfinite(bound)]
    low, high = min([0.0, *bounds]), max([0.0, *bounds])
    if high <= low:
        return "", [None] * len(values)

    def style(**marks: float) -> str:
        places = {name: 100 * (mark - low) / (high - low) for name, mark in marks.items() if math.isfinite(mark)}
        return ";".join(f"--{name}:{round(place, 1):g}" for name, place in places.items())

    def bar(each: Estimate, verdict: str) -> Bar | None:
        if not math.isfinite(each.value):
            return None
        ends = (end if math.isfinite(end) else each.value for end in (each.low, each.high))
        return Bar(style(low=next(ends), high=next(ends), value=each.value), verdict)

    return style(zero=0.0, base=baseline), [bar(*each) for each in zip(values, verdicts, strict=True)]
