"""The files of a store: names and schema, the lock, opening; what SQLite and the system say, in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness._utils.visible import one_line
from harness.errors import StoreError
from harness.store.columns import TABLE
from harness.store.file_systems import network_file_system

SCHEMA_VERSION = 2
READABLE = (1, 2)
"""Versions that are read. The first had no checksums; its stores get them when they are written to."""

FILE_NAME = "scores.sqlite"
LOCK_NAME = "run.lock"

_DAMAGED = ("malformed", "corrupt", "not a database", "no such", "decode")

PATIENCE = 60.0
"""Seconds that a writer waits for a reader, and a reader for a writer, where the two cannot work at once."""

SCHEMA = (
    "CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    TABLE,
)

CHECKSUM_TABLES = (
    "CREATE TABLE unit_checksums (architecture TEXT PRIMARY KEY, checksum INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE manifest_checksums (key TEXT PRIMARY KEY, checksum INTEGER NOT NULL) WITHOUT ROWID",
)


def take_lock(directory: Path) -> sqlite3.Connection:
    """An exclusive lock that the operating system releases however this process ends."""
    lock = sqlite3.connect(directory / LOCK_NAME, isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" not in str(error):
            raise
        kind = network_file_system(directory)
        doubt = f", or its file system ({kind}) knows no locks" if kind else ""
        raise StoreError(f"another run is writing to {directory}{doubt}; wait for it, or use another --out") from None
    return lock


def connect_to_write(directory: Path) -> sqlite3.Connection:
    """The database of a directory for the one process that writes to it; made if it is not there."""
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
    """The same with SQLite's older way of keeping transactions whole, which needs no memory shared by processes."""
    # Only who has the file for itself can take in, without that memory, a log that another way of writing left.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute("SELECT COUNT(*) FROM sqlite_master")
    return connection


def reading_address(directory: Path) -> str:
    """The address under which SQLite can read the database of a directory, also where nothing may be written.

    Raises:
        StoreError: if scores are waiting in a log, which cannot be read where nothing may be written.
    """
    path = directory / FILE_NAME
    try:
        _probe(path, "ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_READONLY"):
            # A transaction that a killed run left half done is taken back by whoever comes first, if it may write.
            _probe(path, "rw")
        elif error.sqlite_errorname.startswith("SQLITE_CANTOPEN") and path.is_file():
            if any(Path(f"{path}{log}").exists() for log in ("-wal", "-journal")):
                raise StoreError(
                    f"the run in {directory} was stopped while it was written, and nothing may be written there to "
                    "read it; copy the directory to where you may write"
                ) from error
            return f"{_address(path, 'ro')}&immutable=1"
        else:
            raise
    return _address(path, "ro")


def _probe(path: Path, mode: str) -> None:
    connection = _connect(path, mode)
    try:
        connection.execute("SELECT COUNT(*) FROM sqlite_master")
    finally:
        connection.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(_address(path, mode), uri=True, isolation_level=None, timeout=PATIENCE)


def _address(path: Path, mode: str) -> str:
    """As an address, so that another store can be attached as one that is only read."""
    return f"{path.resolve().as_uri()}?mode={mode}"


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what SQLite and the file system report into one line with a remedy."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreError(f"a score in {directory} would be overwritten ({error}); nothing was changed") from error
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        text = one_line(str(error))
        if "full" in text or "No space" in text or "disk I/O" in text:
            remedy = "free some disk space and start the same command again: everything stored before is kept"
        elif any(word in text for word in _DAMAGED):
            remedy = "the file is damaged; restore it, or use a new --out"
        elif "locked" in text:
            remedy = "another program has it open; wait for it"
        else:
            remedy = "see that the directory can be written to, or use another --out"
        raise StoreError(f"the store in {directory} cannot be used ({text}); {remedy}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written in the block, or nothing."""
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
    """All that is read in the block is of one moment, also while a run goes on."""
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        if own:
            connection.rollback()
