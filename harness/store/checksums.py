"""Checksums of a store's content, so that a damaged score is detected and never used as a measured one.

The outcomes of each network have one checksum, written in the same transaction; so does every entry of the manifest.
The checksum of one outcome is a hash of all its columns, numbers to the last bit. The checksum of a network is the
exclusive or (⊕) of the checksums of its outcomes, so that outcomes can be added and removed without reading the others,
and earlier damage stays visible.

Hashes have 64 bits. The hash of an outcome is the mixed sum of one mixed word per column. Mixing (times an odd number,
⊕ the same shifted) maps different words to different words, so that one changed column always changes the checksum.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness._utils.visible import one_line
from harness.errors import StoreError
from harness.store.columns import COLUMNS, NUMBERS, TEXTS, Row
from harness.store.sqlite import CHECKSUM_TABLES

Values = list[list[Any]]
"""Outcomes as one list per column."""

Columns = dict[str, Sequence[Any] | NDArray[Any]]

_ADD = """
INSERT INTO unit_checksums VALUES (?, ?) ON CONFLICT (architecture)
DO UPDATE SET checksum = (checksum | excluded.checksum) - (checksum & excluded.checksum)
"""
"""Computes exclusive or, which SQLite lacks."""

_SHOWN = 3
_WHOLE, _FLOAT = frozenset({int}), frozenset({float, type(None)})
_FETCHED = 500
_AT_ONCE = 50_000
"""Outcomes that are checked at once."""

WRONG_TYPE = (TypeError, ValueError, OverflowError, AttributeError)
"""What :func:`columns_of` and :func:`add_up` raise if a column has a value of a type that is never written there."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS: NDArray[np.uint64] = (np.arange(1, 2 * len(COLUMNS), 2, dtype=np.uint64) * _MULTIPLIER)[:, np.newaxis]
"""An odd number for each column, so that equal values in two columns have different hashes."""

_SHIFT = np.uint64(29)


class _TextHashes(dict["str | None", int]):
    """64-bit hashes of texts; each text is hashed once."""

    def __missing__(self, text: str | None) -> int:
        # From a damaged file, SQLite may return text that is not Unicode; see :func:`damaged_text_read`.
        content = b"" if text is None else b"-" + text.encode("utf-8", "surrogateescape")
        self[text] = number = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
        return number


_of_words = _TextHashes()
"""Hashes of proxy names and statuses, of which there are few."""


def by_column(rows: Sequence[Row]) -> Values:
    """The values of outcomes, one list per column."""
    return [list(map(itemgetter(place), rows)) for place in range(len(COLUMNS))]


def columns_of(values: Values) -> Columns:
    """The columns of outcomes by name; numbers as arrays with NaN for missing numbers.

    Raises:
        TypeError: if a column has a value of a type that is never written there; or another error of ``WRONG_TYPE``.
    """
    columns: Columns = dict(zip(COLUMNS, values, strict=True))
    for name in ("version", *NUMBERS):
        types, number = (_WHOLE, np.int64) if name == "version" else (_FLOAT, np.float64)
        if not types.issuperset(map(type, columns[name])):
            raise TypeError(f"the column {name} has a value of the wrong type")
        columns[name] = np.array(columns[name], dtype=number)
    return columns


def row_checksums(columns: Columns, start: int = 0, stop: int | None = None) -> NDArray[np.uint64]:
    """The checksums of some of the outcomes of :func:`columns_of`."""
    parts = {name: values[start:stop] for name, values in columns.items()}
    count = len(parts["architecture"])
    words: NDArray[np.uint64] = np.empty((len(COLUMNS), count), dtype=np.uint64)
    hashes = {"architecture": _TextHashes(), "error": _TextHashes(), "proxy": _of_words, "status": _of_words}
    for place, name in enumerate(TEXTS):
        words[place] = np.fromiter(map(hashes[name].__getitem__, parts[name]), dtype=np.uint64, count=count)
    words[len(TEXTS)].view(np.int64)[:] = parts["version"]
    numbers = words[len(TEXTS) + 1 :].view(np.float64)
    for place, name in enumerate(NUMBERS):
        numbers[place] = parts[name]
    # SQLite stores -0.0 as 0.0, and every NaN as a missing number.
    numbers += 0.0
    numbers[np.isnan(numbers)] = np.nan
    words *= _MULTIPLIERS
    words ^= words >> _SHIFT
    words *= _MULTIPLIER
    words ^= words >> _SHIFT
    result: NDArray[np.uint64] = np.add.reduce(words, axis=0)
    result ^= result >> _SHIFT
    result *= _MULTIPLIER
    result ^= result >> _SHIFT
    return result


def add_up(columns: Columns, totals: dict[str, int]) -> None:
    """Add the checksums of some outcomes to those of their networks."""
    architectures = columns["architecture"]
    for first in range(0, len(architectures), _AT_ONCE):
        checksums = row_checksums(columns, first, first + _AT_ONCE)
        part = architectures[first : first + _AT_ONCE]
        starts = [0, *(place for place, (one, next_one) in enumerate(pairwise(part), start=1) if one != next_one)]
        combined = np.bitwise_xor.reduceat(checksums, starts).view(np.int64).tolist()
        for start, checksum in zip(starts, combined, strict=True):
            totals[part[start]] = totals.get(part[start], 0) ^ checksum


def unit_checksums(parts: Iterable[Values]) -> tuple[dict[str, int], set[str]]:
    """The checksum of each network with one of these outcomes, and the networks with a value of a wrong type."""
    totals: dict[str, int] = {}
    odd: set[str] = set()
    for values in parts:
        try:
            add_up(columns_of(values), totals)
        except WRONG_TYPE:
            for row in zip(*values, strict=True):
                try:
                    add_up(columns_of(by_column([row])), totals)
                except WRONG_TYPE:
                    odd.add(row[0] if isinstance(row[0], str) else repr(row[0]))
    return totals, odd


def text_checksum(key: str, text: str) -> int:
    """The checksum of an entry of the manifest."""
    content = f"{len(key)}:{key}{text}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)


def values_of(connection: sqlite3.Connection, query: str, at_once: int = _AT_ONCE) -> Iterator[Values]:
    """The values of the outcomes that a query finds, in parts."""
    cursor = connection.execute(query)
    values: Values = [[] for _ in COLUMNS]
    # Fetch few rows at a time: they are still in the processor's cache when they are split into columns.
    while rows := cursor.fetchmany(_FETCHED):
        for place, column in enumerate(values):
            column.extend(map(itemgetter(place), rows))
        if len(values[0]) >= at_once:
            yield values
            values = [[] for _ in COLUMNS]
    yield values


@contextmanager
def damaged_text_read(connection: sqlite3.Connection) -> Iterator[None]:
    """Also read text that is not Unicode, with surrogates for invalid bytes; this is slower."""
    before = connection.text_factory
    connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def keeps_checksums(connection: sqlite3.Connection) -> bool:
    """Whether a store has checksums; schema version 1 has none."""
    query = "SELECT 1 FROM sqlite_master WHERE name IN ('unit_checksums', 'manifest_checksums')"
    return connection.execute(query).fetchone() is not None


def add_checksums(connection: sqlite3.Connection, totals: Mapping[str, int]) -> None:
    """Update the stored checksums with those of outcomes that are added or removed."""
    connection.executemany(_ADD, totals.items())


def damaged_units(connection: sqlite3.Connection) -> list[str]:
    """The networks with damaged or lost outcomes, sorted.

    Memory use is bounded: an undamaged store of any size needs no more than one with 50,000 outcomes.

    Raises:
        sqlite3.Error: if the file is too damaged for SQLite to read.
    """
    try:
        if _is_sound(connection):
            return []
    except WRONG_TYPE:
        pass
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    with damaged_text_read(connection):
        totals, odd = unit_checksums(values_of(connection, "SELECT * FROM scores"))
        stored = stored_checksums(connection)
    names = totals.keys() | stored.keys()
    return sorted({*odd, *(str(name) for name in names if totals.get(name) != stored.get(name))})


def _is_sound(connection: sqlite3.Connection) -> bool:
    """Whether all checksums match. Outcomes and checksums are read in parallel, in the order of the networks."""
    units = 0
    waiting: dict[str, int] = {}
    end: Values = [[] for _ in COLUMNS]
    for values in chain(values_of(connection, "SELECT * FROM scores ORDER BY architecture, proxy"), [end]):
        add_up(columns_of(values), waiting)
        # The next part may have more outcomes of the last network.
        unfinished = values[0][-1:]
        complete = {name: checksum for name, checksum in waiting.items() if name not in unfinished}
        if complete and complete != _stored_between(connection, complete):
            return False
        units += len(complete)
        waiting = {name: waiting[name] for name in unfinished}
    (stored,) = connection.execute("SELECT COUNT(*) FROM unit_checksums").fetchone()
    return bool(units == stored)


def _stored_between(connection: sqlite3.Connection, names: Collection[str]) -> dict[str, int]:
    """The stored checksums from the first of some networks to the last."""
    query = "SELECT architecture, checksum FROM unit_checksums WHERE architecture BETWEEN ? AND ?"
    # SQLite sorts text by its bytes.
    return dict(connection.execute(query, (min(names, key=str.encode), max(names, key=str.encode))).fetchall())


def stored_checksums(connection: sqlite3.Connection) -> dict[Any, Any]:
    """The checksum that is stored for each network."""
    return dict(connection.execute("SELECT architecture, checksum FROM unit_checksums").fetchall())


def names_in_words(names: Collection[str]) -> str:
    """A few of many names, and the number of the others.

    >>> names_in_words(["a"]), names_in_words(["a", "b", "c", "d", "e"])
    ("'a'", "'a', 'b', 'c' and 2 others")
    """
    shown = [one_line(name) for name in list(names)[:_SHOWN]]
    others = len(names) - len(shown)
    words = ", ".join(f"'{name}'" for name in shown)
    return f"{words} and {others:,} other{'s' * (others > 1)}" if others else words


def checksums_of_everything(connection: sqlite3.Connection) -> None:
    """Replace all stored checksums by those of the current content."""
    for table, statement in zip(("unit_checksums", "manifest_checksums"), CHECKSUM_TABLES, strict=True):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(statement)
    totals, _ = unit_checksums(values_of(connection, "SELECT * FROM scores"))
    connection.executemany("INSERT INTO unit_checksums VALUES (?, ?)", totals.items())
    entries = connection.execute("SELECT key, value FROM manifest").fetchall()
    connection.executemany(
        "INSERT INTO manifest_checksums VALUES (?, ?)", [(key, text_checksum(key, value)) for key, value in entries]
    )


def damaged_entries(connection: sqlite3.Connection) -> list[str]:
    """The damaged entries of the manifest, sorted."""
    with damaged_text_read(connection):
        entries = connection.execute("SELECT key, value FROM manifest").fetchall()
        stored = dict(connection.execute("SELECT key, checksum FROM manifest_checksums").fetchall())
    found = {str(key): text_checksum(str(key), str(value)) for key, value in entries}
    return sorted(str(key) for key in found.keys() | stored.keys() if found.get(key) != stored.get(key))


def refuse_damaged(directory: Path, damaged: Collection[str]) -> None:
    """Refuse a store with damaged networks, if there are any.

    Raises:
        StoreError: if there are any; it names them.
    """
    if damaged:
        raise StoreError(
            f"checksum mismatch: the outcomes of {names_in_words(damaged)} in {directory} are damaged; 'harness run' "
            "with the same settings computes them again, and 'harness store export --leave-out-damaged' writes the rest"
        )
