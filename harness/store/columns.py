"""The columns of the table of scores, and how outcomes are stored in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from harness.store.records import Status, UnitResult

Row = tuple[Any, ...]
"""One outcome: its values in the order of ``COLUMNS``."""

_DECLARED = {
    "architecture": "TEXT NOT NULL",
    "proxy": "TEXT NOT NULL",
    "version": "INTEGER NOT NULL",
    "status": f"TEXT NOT NULL CHECK (status IN {get_args(Status)})",
    "value": "REAL",
    "error": "TEXT",
    "own_seconds": "REAL NOT NULL",
    "standalone_seconds": "REAL NOT NULL",
    "forward_backward_seconds": "REAL",
}

COLUMNS = tuple(_DECLARED)


TEXTS = tuple(column for column, declared in _DECLARED.items() if declared.startswith("TEXT"))
NUMBERS = tuple(column for column, declared in _DECLARED.items() if declared.startswith("REAL"))
"""Columns by type; only the version is a whole number."""

_KEPT_AS = dict.fromkeys(TEXTS, str) | dict.fromkeys(NUMBERS, float) | {"version": int}

_MAY_LACK = {column for column, declared in _DECLARED.items() if "NOT NULL" not in declared}

_LINES = ",\n    ".join(f"{column} {declared}" for column, declared in _DECLARED.items())

TABLE = f"""CREATE TABLE scores (
    {_LINES},
    PRIMARY KEY (architecture, proxy),
    CHECK ((status = 'ok') = (value IS NOT NULL))
) WITHOUT ROWID"""
"""The exact statement in every store."""


def rows_of(result: UnitResult) -> list[Row]:
    """The outcomes of a unit."""
    of_unit = {"architecture": result, "forward_backward_seconds": result}
    return [as_stored(getattr(of_unit.get(name, score), name) for name in COLUMNS) for score in result.scores]


def as_stored(values: Iterable[Any]) -> Row:
    """An outcome in the types that SQLite returns: every number except the version is a float.

    Raises:
        TypeError: if a required value is missing, or a value has the wrong type; also ValueError.
    """
    row = tuple(None if value is None else _KEPT_AS[name](value) for name, value in zip(COLUMNS, values, strict=True))
    lacking = [name for name, value in zip(COLUMNS, row, strict=True) if value is None and name not in _MAY_LACK]
    if lacking:
        raise TypeError(f"an outcome without {' and '.join(lacking)}")
    return row
