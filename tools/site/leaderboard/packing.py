"""Further tables of a board as data, from which the script of the page makes rows.

The page has the table of the first choice as HTML, so that it shows at once and without a script. The tables of the
other choices have mostly the same cells, or short ones; as HTML they would be two megabytes. Here a cell is a list of
what it has, and a cell that occurs again is a number: its place among the cells of the table on the page, row by row,
or after those among the shared ones.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from harness._utils.visible import visible
from tools.site.leaderboard.cells import Cell, TableRow
from tools.site.leaderboard.views import BoardTable

TAGS = re.compile(r"[<>&]")


def packed(tables: Sequence[BoardTable]) -> Markup:
    """All tables but the first, which is on the page, as JSON that can stand in a script element."""
    first, *others = tables
    kinds: dict[str, int] = {}
    filters: dict[tuple[str, ...], int] = {}
    places: dict[Cell, int] = {}
    for place, cell in enumerate(cell for row in first.table.rows for cell in row.cells):
        places.setdefault(cell, place)
    further = Counter(cell for other in others for row in other.table.rows for cell in row.cells)
    start = sum(len(row.cells) for row in first.table.rows)
    shared = [cell for cell, times in further.items() if times > 1 and cell not in places]
    places |= {cell: start + place for place, cell in enumerate(shared)}

    def row_of(row: TableRow) -> list[Any]:
        filtered = filters.setdefault(_filtered(row), len(filters))
        return [filtered, *(places[cell] if cell in places else _packed(cell, kinds) for cell in row.cells)]

    choices = {
        other.choice: {
            "words": visible(other.words),
            "style": other.table.style,
            "rows": [*map(row_of, other.table.rows)],
        }
        for other in others
    }
    document = {
        "header": first.table.header,
        "choices": choices,
        "shared": [_packed(cell, kinds) for cell in shared],
        "filters": [*filters],
        "kinds": [*kinds],
    }
    return _in_a_script(document)


def _filtered(row: TableRow) -> tuple[str, ...]:
    """What the element of a row has, for filters and for its look."""
    return visible("|".join(row.needs)), row.cost, row.look


def _packed(cell: Cell, kinds: dict[str, int]) -> list[Any]:
    """What a cell has, in the order in which the script reads it, without what is missing at its end."""
    bar = cell.bar
    found: list[Any] = [
        visible(cell.text),
        None if cell.key is None else visible(cell.key),
        kinds.setdefault(" ".join(cell.classes), len(kinds)),
        visible(cell.aside),
        [bar.style, bar.verdict] if bar else 0,
        visible(cell.link),
        [[visible(part) for part in (link.text, link.address, link.title)] for link in cell.links],
        visible(cell.more),
    ]
    while not found[-1] and len(found) > len(("text", "key", "kind")):
        found.pop()
    return found


def _in_a_script(document: object) -> Markup:
    r"""A document as JSON without what a parser of HTML would take for a tag.

    >>> print(_in_a_script("</script>"))
    "\u003c/script\u003e"
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(TAGS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: S704
