"""Recognise in which way a table writes its architectures, and use the official identifiers instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from harness._utils.names import listed
from harness.contracts.dialect import Dialect
from harness.data.columns import column_key
from harness.data.table_files import by_architecture
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_MOSTLY = 0.5


def official(
    frame: pd.DataFrame,
    dialects: Sequence[Dialect],
    known: Callable[[], Collection[str]],
    name: str,
    notes: list[str],
) -> pd.DataFrame:
    """The table, indexed by the benchmark's identifiers of its architectures, however it writes them.

    A dialect in which every row can be read is used. Otherwise, a table of which at least half of the rows have
    official identifiers keeps all its names; the caller refuses those that the benchmark does not have.

    Args:
        frame: the table as read.
        dialects: other ways to write the benchmark's architectures.
        known: gives the official identifiers.
        name: the table's name, for messages.
        notes: which dialect was recognised is added to it.

    Raises:
        DataError: if there are no architectures, some of them are not written in the way of the others, or two columns
            name different ones.
    """
    described = next((dialect for dialect in dialects if dialect.columns and _places(frame, dialect)), None)
    try:
        table = by_architecture(frame, name)
    except DataError:
        if described is None:
            raise
        table = None
    if table is None or (described is not None and not _are_official(table, known)):
        assert described is not None
        places = _places(frame, described)
        texts = [" ".join(map(str, row)) for row in frame.iloc[:, places].itertuples(index=False)]
        rest = [place for place in range(len(frame.columns)) if place not in places]
        return frame.iloc[:, rest].set_axis(_parsed(texts, described, name, notes), axis="index")
    texts = [str(text).strip() for text in table.index]
    if not texts or set(texts) <= set(known()):
        return _renamed(table, texts)
    for dialect in dialects:
        if not dialect.columns and all(dialect.parse(text) is not None for text in texts):
            return _renamed(table, _parsed(texts, dialect, name, notes))
    if _are_official(table, known):
        return _renamed(table, texts)
    for dialect in dialects:
        if not dialect.columns and sum(dialect.parse(text) is not None for text in texts) > _MOSTLY * len(texts):
            return _renamed(table, _parsed(texts, dialect, name, notes))
    return _renamed(table, texts)


def unknown_architecture(text: str, dialects: Sequence[Dialect], example: str) -> str:
    """How architectures may be written, for the message that one is unknown."""
    ways = [f"'{example}'", *(f"{dialect.name}, such as '{dialect.example}'" for dialect in dialects)]
    return f"unknown architecture '{text}'; expected: {listed(ways)}"


def _renamed(table: pd.DataFrame, architectures: list[str]) -> pd.DataFrame:
    import pandas as pd

    return table.set_axis(pd.Index(architectures, name=table.index.name), axis="index")


def _are_official(table: pd.DataFrame, known: Callable[[], Collection[str]]) -> bool:
    names = set(known())
    return sum(str(text).strip() in names for text in table.index) > _MOSTLY * len(table)


def _parsed(texts: Sequence[str], dialect: Dialect, name: str, notes: list[str]) -> list[str]:
    found = [dialect.parse(text) for text in texts]
    wrong = [row for row, architecture in enumerate(found) if architecture is None]
    if wrong:
        raise DataError(
            f"{name}: '{texts[wrong[0]]}' in row {wrong[0] + 1:,} is not an architecture ({len(wrong):,} such rows); "
            f"the others are {dialect.name}, such as '{dialect.example}'"
        )
    notes.append(f"architectures are {dialect.name}, such as '{texts[0]}'" if texts else dialect.name)
    return [str(architecture) for architecture in found]


def _places(frame: pd.DataFrame, dialect: Dialect) -> list[int]:
    """The columns that describe architectures in this way; none if one is missing."""
    keys = [column_key(column) for column in frame.columns]
    places = [next((keys.index(each) for each in names if each in keys), -1) for names in dialect.columns]
    return [] if -1 in places else places
