"""The table of scores of a store: adding, removing and reading outcomes, each time with their checksums."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from harness.store.checksums import (
    WRONG_TYPE,
    Row,
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
from harness.store.sqlite import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_ALL = "SELECT * FROM scores ORDER BY architecture, proxy"


class Outcomes:
    """The outcomes of one store. Whoever writes does so within a transaction.

    Args:
        connection: to the store's database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, rows: Sequence[Row]) -> None:
        """Add outcomes with their checksums, within a transaction; none may be there already."""
        self._connection.executemany(f"INSERT INTO scores VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        totals, _ = unit_checksums([by_column(rows)])
        add_checksums(self._connection, totals)

    def add_incoming(self) -> int:
        """Add the outcomes of the temporary table ``incoming``, which is dropped, within a transaction.

        Those that are there already are replaced; returns how many there are.
        """
        totals, _ = unit_checksums(values_of(self._connection, "SELECT * FROM temp.incoming"))
        replaced, _ = unit_checksums(
            values_of(self._connection, "SELECT scores.* FROM scores JOIN temp.incoming USING (architecture, proxy)")
        )
        for part in (totals, replaced):
            add_checksums(self._connection, part)
        count = self._connection.execute("INSERT OR REPLACE INTO scores SELECT * FROM temp.incoming").rowcount
        self._connection.execute("DROP TABLE temp.incoming")
        return count

    def remove_failed(self) -> int:
        """Remove the outcomes that failed; returns how many."""
        failed, _ = unit_checksums(values_of(self._connection, "SELECT * FROM scores WHERE status = 'failed'"))
        add_checksums(self._connection, failed)
        # What is left of no outcome is nothing.
        self._connection.execute("DELETE FROM unit_checksums WHERE checksum = 0")
        return self._connection.execute("DELETE FROM scores WHERE status = 'failed'").rowcount

    def table(self) -> pd.DataFrame | None:
        """All outcomes, one row an architecture and proxy; None if they are not as they were written."""
        import pandas as pd

        parts: list[pd.DataFrame] = []
        errors: list[str | None] = []
        totals: dict[str, int] = {}
        checked = keeps_checksums(self._connection)
        try:
            # In parts: Python's collector of garbage would go through millions of objects again and again.
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
            TypeError: if what is left holds a value of a wrong type; others of ``WRONG_TYPE`` too.
        """
        import pandas as pd

        lost = set(damaged)
        with damaged_text_read(self._connection):
            rows = self._connection.execute(_ALL).fetchall()
        return pd.DataFrame(columns_of(by_column([row for row in rows if row[0] not in lost])))
