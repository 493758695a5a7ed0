"""The files of a store: names, schema, lock, opening, and clear messages for errors of SQLite and the system."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from harness._utils.visible import one_line
from harness.errors import StoreError
from harness.store.columns import TABLE
from harness.store.file_systems import network_file_system

SCHEMA_VERSION = 2
READABLE = (1, 2)
"""Supported versions. Version 1 has no checksums; opening such a store for writing adds them."""

FILE_NAME = "scores.sqlite"
LOCK_NAME = "run.lock"

_DAMAGED = ("malformed", "corrupt", "not a database", "no such", "decode")

PATIENCE = 60.0
"""Seconds that a writer waits for a reader, or a reader for a writer, if they cannot work at the same time."""

SCHEMA = (
    "CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    TABLE,
)

CHECKSUM_TABLES = (
    "CREATE TABLE unit_checksums (architecture TEXT PRIMARY KEY, checksum INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE manifest_checksums (key TEXT PRIMARY KEY, checksum INTEGER NOT NULL) WITHOUT ROWID",
)


def take_lock(directory: Path) -> sqlite3.Connection:
    """Take an exclusive lock, which the operating system releases when this process ends."""
    lock = sqlite3.connect(directory / LOCK_NAME, isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" not in str(error):
            raise
        kind = network_file_system(directory)
        doubt = f", or its file system ({kind}) does not support locks" if kind else ""
        raise StoreError(f"another run is writing to {directory}{doubt}; wait for it, or use another --out") from None
    return lock


def connect_to_write(directory: Path) -> sqlite3.Connection:
    """Open the database of a directory for its only writer; create it if missing."""
    path = directory / FILE_NAME
    if network_file_system(directory) is None:
        connection = _connect(path, "rwc")
        try:
            # Scores can be read while they are written, and a commit waits for no disk: half a millisecond where the
            # older journal takes 10 to 20. It takes memory that processes share.
            (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute("SELECT COUNT(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            journal = "none"
        if journal == "wal":
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection
        connection.close()
    return _with_rollback_journal(_connect(path, "rwc"))


def _with_rollback_journal(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Use SQLite's older rollback journal, which needs no memory shared by processes."""
    # Without shared memory, absorbing a log left by WAL mode needs exclusive access.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute("SELECT COUNT(*) FROM sqlite_master")
    return connection


def reading_address(directory: Path) -> str:
    """The address for SQLite to read the database of a directory, which may be read-only.

    Raises:
        StoreError: if the directory is read-only and some scores are still in a log.
    """
    path = directory / FILE_NAME
    try:
        _probe(path, "ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_READONLY"):
            # The next process that may write rolls back the unfinished transaction of a killed run.
            _probe(path, "rw")
        elif error.sqlite_errorname.startswith("SQLITE_CANTOPEN") and path.is_file():
            if any(Path(f"{path}{log}").exists() for log in ("-wal", "-journal")):
                raise StoreError(
                    f"the run in {directory} was interrupted while writing, and reading it needs write access; copy "
                    "the directory to a place that you can write to"
                ) from error
            return f"{_address(path, 'ro')}&immutable=1"
        else:
            raise
    return _address(path, "ro")


def _probe(path: Path, mode: str) -> None:
    with closing(_connect(path, mode)) as connection:
        connection.execute("SELECT COUNT(*) FROM sqlite_master")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(_address(path, mode), uri=True, isolation_level=None, timeout=PATIENCE)


def _address(path: Path, mode: str) -> str:
    """The path as a URI, so that another store can be attached as read-only."""
    return f"{path.resolve().as_uri()}?mode={mode}"


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into one line that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreError(f"a score in {directory} would be overwritten ({error}); nothing was changed") from error
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        text = one_line(str(error))
        if "full" in text or "No space" in text or "disk I/O" in text:
            remedy = "free some disk space and repeat the command; everything stored so far is kept"
        elif any(word in text for word in _DAMAGED):
            remedy = "the file is damaged; restore it, or use a new --out"
        elif "locked" in text:
            remedy = "another program is using it; wait until it has finished"
        else:
            remedy = "check that the directory is writable, or use another --out"
        raise StoreError(f"cannot use the store in {directory} ({text}); {remedy}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything written in the block, or nothing."""
    # Ctrl-C may come between any two of these steps.
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite rolls a transaction back by itself when the disk is full.
        connection.rollback()
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads in the block see the same state, also while a run is in progress."""
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        if own:
            connection.rollback()
