"""The files of a store: their names and schema, the lock, and what SQLite and the file system say, in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StoreError

SCHEMA_VERSION = 1
FILE_NAME = "scores.sqlite"
LOCK_NAME = "run.lock"

SCHEMA = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE scores (
    architecture TEXT NOT NULL,
    proxy TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'non_finite', 'skipped')),
    value REAL,
    error TEXT,
    own_seconds REAL NOT NULL,
    standalone_seconds REAL NOT NULL,
    forward_backward_seconds REAL,
    PRIMARY KEY (architecture, proxy),
    CHECK ((status = 'ok') = (value IS NOT NULL))
) WITHOUT ROWID;
"""


OUTCOME = "version, status, value, error, own_seconds, standalone_seconds, forward_backward_seconds"
"""The columns of an outcome beside architecture and proxy."""

# Beside a minimum, SQLite takes the other columns from the row that has it.
SPREAD = f"""
INSERT OR IGNORE INTO scores (architecture, proxy, {OUTCOME})
SELECT class.architecture, proxy, {OUTCOME} FROM class JOIN (
    SELECT representative, proxy, {OUTCOME}, MIN(status = 'failed') FROM scores
    JOIN class USING (architecture) JOIN shared USING (proxy) GROUP BY representative, proxy
) USING (representative)
"""


def take_lock(directory: Path) -> sqlite3.Connection:
    """An exclusive lock that the operating system releases however this process ends."""
    lock = sqlite3.connect(directory / LOCK_NAME, isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" not in str(error):
            raise
        raise StoreError(f"another run is writing to {directory}; wait for it, or use another --out") from None
    return lock


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what SQLite and the file system report into one line with a remedy."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreError(f"a score in {directory} would be overwritten ({error}); nothing was changed") from error
    except (sqlite3.Error, OSError) as error:
        text = str(error)
        if "full" in text or "No space" in text or "disk I/O" in text:
            remedy = "free some disk space and start the same command again: everything stored before is kept"
        elif "malformed" in text or "not a database" in text:
            remedy = "the file is damaged; restore it, or use a new --out"
        else:
            remedy = "see that the directory can be written to, or use another --out"
        raise StoreError(f"the store in {directory} cannot be used ({text}); {remedy}") from error
