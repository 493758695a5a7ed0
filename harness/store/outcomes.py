"""The table of scores of a store: add, remove and read outcomes together with their checksums."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.store.checksums import (
    WRONG_TYPE,
    add_checksums,
    add_up,
    by_column,
    columns_of,
    damaged_text_read,
    keeps_checksums,
    stored_checksums,
    unit_checksums,
    values_of,
)
from harness.store.columns import COLUMNS, Row

if TYPE_CHECKING:
    import pandas as pd

_ALL = "SELECT * FROM scores ORDER BY architecture, proxy"

_OUTCOME = ", ".join(COLUMNS[1:])

# In a query with MIN, SQLite takes the other columns from the row with the minimum.
_SPREAD = f"""
CREATE TEMP TABLE incoming AS SELECT class.architecture, {_OUTCOME} FROM class JOIN (
    SELECT representative, {_OUTCOME}, MIN(status = 'failed') FROM scores
    JOIN class USING (architecture) JOIN shared USING (proxy) GROUP BY representative, proxy
) AS shared_out USING (representative) WHERE NOT EXISTS (
    SELECT 1 FROM scores WHERE scores.architecture = class.architecture AND scores.proxy = shared_out.proxy
)
"""


class Outcomes:
    """The outcomes of one store. Callers write within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, rows: Sequence[Row]) -> None:
        """Add new outcomes with their checksums, within a transaction; fails if one exists already."""
        self._connection.executemany(f"INSERT INTO scores VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        totals, _ = unit_checksums([by_column(rows)])
        add_checksums(self._connection, totals)

    def add_incoming(self) -> int:
        """Add the outcomes of the temporary table ``incoming``, and drop it, within a transaction.

        Existing outcomes are replaced. Returns the number of outcomes in the table.
        """
        replaced = "SELECT scores.* FROM scores JOIN temp.incoming USING (architecture, proxy)"
        for query in ("SELECT * FROM temp.incoming", replaced):
            totals, _ = unit_checksums(values_of(self._connection, query))
            add_checksums(self._connection, totals)
        count = self._connection.execute("INSERT OR REPLACE INTO scores SELECT * FROM temp.incoming").rowcount
        self._connection.execute("DROP TABLE temp.incoming")
        return count

    def spread(self, representatives: Mapping[str, str], proxies: Collection[str]) -> None:
        """As :meth:`harness.store.Store.spread`, within a transaction."""
        self._connection.execute("CREATE TEMP TABLE class (architecture PRIMARY KEY, representative)")
        self._connection.execute("CREATE TEMP TABLE shared (proxy PRIMARY KEY)")
        self._connection.executemany("INSERT INTO class VALUES (?, ?)", representatives.items())
        self._connection.executemany("INSERT INTO shared VALUES (?)", [(proxy,) for proxy in proxies])
        self._connection.execute(_SPREAD)
        self.add_incoming()
        for table in ("class", "shared"):
            self._connection.execute(f"DROP TABLE {table}")

    def remove_failed(self) -> int:
        """Remove failed outcomes; returns their number."""
        failed, _ = unit_checksums(values_of(self._connection, "SELECT * FROM scores WHERE status = 'failed'"))
        add_checksums(self._connection, failed)
        # The checksum of no outcomes is 0.
        self._connection.execute("DELETE FROM unit_checksums WHERE checksum = 0")
        return self._connection.execute("DELETE FROM scores WHERE status = 'failed'").rowcount

    def remove_units(self, damaged: Sequence[str]) -> None:
        """Remove all outcomes of damaged networks, within a transaction.

        The undamaged outcomes are written to a new table: in a damaged one, SQLite may not find rows by key, so it
        could not remove them one by one.

        Raises:
            sqlite3.DatabaseError: if the file is damaged beyond that.
        """
        connection = self._connection
        with damaged_text_read(connection):
            names = [name for (name,) in connection.execute("SELECT architecture FROM unit_checksums").fetchall()]
            connection.execute("CREATE TEMP TABLE sound (architecture PRIMARY KEY)")
            lost = set(damaged)
            connection.executemany("INSERT INTO sound VALUES (?)", [(name,) for name in names if name not in lost])
        for table in ("scores", "unit_checksums"):
            # The plus prevents SQLite from looking up rows by key.
            connection.execute(
                f"CREATE TEMP TABLE kept AS SELECT * FROM {table} "
                "WHERE +architecture IN (SELECT architecture FROM sound)"
            )
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
            connection.execute("DROP TABLE kept")
        connection.execute("DROP TABLE sound")
        problems = [text for (text,) in connection.execute("PRAGMA main.integrity_check(1)")]
        if problems != ["ok"]:
            raise sqlite3.DatabaseError(f"malformed: {problems[0]}")

    def proxies_of(self, architectures: Sequence[str]) -> dict[str, set[str]]:
        """The proxies with outcomes for each of these architectures; architectures without outcomes are omitted."""
        done: dict[str, set[str]] = {}
        places = ", ".join("?" * len(architectures))
        query = f"SELECT architecture, proxy FROM scores WHERE architecture IN ({places})"
        for architecture, proxy in self._connection.execute(query, architectures):
            done.setdefault(architecture, set()).add(proxy)
        return done

    def versions(self) -> list[tuple[str, int]]:
        """Each proxy that has outcomes, with its version; a proxy with two versions is listed twice."""
        return self._connection.execute("SELECT DISTINCT proxy, version FROM scores").fetchall()

    def architectures(self) -> set[str]:
        """The architectures that have outcomes."""
        return {name for (name,) in self._connection.execute("SELECT DISTINCT architecture FROM scores")}

    def by_status(self) -> dict[str, int]:
        """The number of outcomes of each status."""
        query = "SELECT status, COUNT(*) FROM scores GROUP BY status ORDER BY status"
        return dict(self._connection.execute(query).fetchall())

    def table(self) -> pd.DataFrame | None:
        """All outcomes, one row per architecture and proxy; None if they are damaged."""
        import pandas as pd

        parts: list[pd.DataFrame] = []
        errors: list[str | None] = []
        totals: dict[str, int] = {}
        checked = keeps_checksums(self._connection)
        try:
            # In parts, so that Python's garbage collector does not scan millions of objects repeatedly.
            for values in values_of(self._connection, _ALL):
                columns = columns_of(values)
                if checked:
                    add_up(columns, totals)
                errors += columns.pop("error")
                if len(columns["architecture"]) or not parts:
                    parts.append(pd.DataFrame(columns))
        except WRONG_TYPE:
            return None
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
            return None
        if checked and totals != stored_checksums(self._connection):
            return None
        table = pd.concat(parts, ignore_index=True)
        table.insert(COLUMNS.index("error"), "error", errors)
        return table

    def table_without(self, damaged: Collection[str]) -> pd.DataFrame:
        """The same without damaged networks.

        Raises:
            TypeError: if the rest has a value of a wrong type; or another error of ``WRONG_TYPE``.
        """
        import pandas as pd

        lost = set(damaged)
        with damaged_text_read(self._connection):
            rows = self._connection.execute(_ALL).fetchall()
        return pd.DataFrame(columns_of(by_column([row for row in rows if row[0] not in lost])))
