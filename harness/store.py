"""What is done: one SQLite file of scores, written by one process, committed unit by unit.

A killed run leaves every committed unit whole. Opening the store again with the same setting goes on where it stopped;
opening it with another setting is refused, so that scores made under different conditions are never mixed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.errors import StoreError
from harness.own_proxies import OWN_PROXIES, source_digest
from harness.plan import Plan, Setting
from harness.registry import reference
from harness.unit import Unit, UnitResult

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
FILE_NAME = "scores.sqlite"
LOCK_NAME = "run.lock"

_SCHEMA = """
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


class Store:
    """The scores of one run directory. Use :meth:`create_or_open` to write, :meth:`read` to read."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: sqlite3.Connection | None) -> None:
        self.directory = directory
        self._connection = connection
        self._lock = lock

    @classmethod
    def create_or_open(cls, directory: Path, plan: Plan, facts: Mapping[str, Any]) -> Self:
        """The store of a run, new or continued, for writing.

        Args:
            directory: the run's directory; made if it is not there.
            plan: its setting and its proxies' versions must be those of the store.
            facts: further entries for a new store's manifest.

        Raises:
            StoreError: if the store belongs to another setting, version or run in progress, or cannot be written.
        """
        with _explained(directory):
            directory.mkdir(parents=True, exist_ok=True)
            lock = _take_lock(directory)
            path = directory / FILE_NAME
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            store = cls(directory, connection, lock)
            try:
                if not connection.execute("SELECT name FROM sqlite_master WHERE name = 'manifest'").fetchone():
                    store._initialise(plan.setting, facts)
                store._check(plan)
                store._note_own_proxies(plan)
            except BaseException:
                store.close()
                raise
        return store

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The store of a run for reading only, also while the run goes on.

        Raises:
            StoreError: if there is none, or it is damaged or of another schema.
        """
        path = directory / FILE_NAME
        if not path.is_file():
            raise StoreError(f"{directory} holds no run (no {FILE_NAME}); give the --out directory of a 'harness run'")
        with _explained(directory):
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
            store = cls(directory, connection, None)
            try:
                store._check_schema()
            except BaseException:
                store.close()
                raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and, if this was the writer, the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def setting(self) -> Setting:
        """What all the scores in the store were made under."""
        return Setting(**self.manifest()["setting"])

    def manifest(self) -> dict[str, Any]:
        """Schema version, setting and everything else that was noted when the store was made."""
        rows = self._connection.execute("SELECT key, value FROM manifest ORDER BY key")
        return {key: json.loads(value) for key, value in rows}

    def missing(self, architectures: Sequence[str], proxies: Collection[str]) -> Iterator[Unit]:
        """The units still to be computed, each with the proxies that lack an outcome."""
        for architecture in architectures:
            rows = self._connection.execute("SELECT proxy FROM scores WHERE architecture = ?", (architecture,))
            done = {proxy for (proxy,) in rows}
            wanted = tuple(proxy for proxy in proxies if proxy not in done)
            if wanted:
                yield Unit(architecture, wanted)

    def add(self, result: UnitResult) -> None:
        """Commit the outcomes of one unit, all or none.

        Raises:
            StoreError: if an outcome is there already, or the file cannot be written (disk full).
        """
        rows = [
            (
                result.architecture,
                score.proxy,
                score.version,
                score.status,
                score.value,
                score.error,
                score.own_seconds,
                score.standalone_seconds,
                result.forward_backward_seconds,
            )
            for score in result.scores
        ]
        with _explained(self.directory), self._transaction():
            self._connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def forget_failed(self) -> int:
        """Remove the outcomes that failed, so that they are computed again; returns how many."""
        with _explained(self.directory), self._transaction():
            return self._connection.execute("DELETE FROM scores WHERE status = 'failed'").rowcount

    def scores(self) -> pd.DataFrame:
        """All outcomes, one row an architecture and proxy.

        Columns: architecture, proxy, version, seed, status, value, error, own_seconds, standalone_seconds,
        forward_backward_seconds.
        """
        import pandas as pd

        with _explained(self.directory):
            table = pd.read_sql_query("SELECT * FROM scores ORDER BY architecture, proxy", self._connection)
        table.insert(3, "seed", self.setting.seed)
        numbers = ["value", "own_seconds", "standalone_seconds", "forward_backward_seconds"]
        return table.astype(dict.fromkeys(numbers, float))

    def _initialise(self, setting: Setting, facts: Mapping[str, Any]) -> None:
        entries = {
            "schema": SCHEMA_VERSION,
            "setting": asdict(setting),
            "checksum": setting.checksum(),
            **facts,
        }
        self._connection.executescript("BEGIN;" + _SCHEMA)
        self._connection.executemany(
            "INSERT INTO manifest VALUES (?, ?)", [(key, json.dumps(value)) for key, value in entries.items()]
        )
        self._connection.execute("COMMIT")

    def _check_schema(self) -> None:
        manifest = self.manifest()
        if manifest.get("schema") != SCHEMA_VERSION:
            raise StoreError(
                f"{self.directory} has schema {manifest.get('schema')}, this harness reads schema {SCHEMA_VERSION}; "
                "use the harness version that made it, or a new --out"
            )
        if Setting(**manifest["setting"]).checksum() != manifest["checksum"]:
            raise StoreError(f"the setting in {self.directory} was changed by hand; its scores cannot be trusted")

    def _check(self, plan: Plan) -> None:
        self._check_schema()
        mine, wanted = asdict(self.setting), asdict(plan.setting)
        differing = [name for name in mine if mine[name] != wanted[name]]
        if differing:
            parts = "; ".join(f"{name}: there '{mine[name]}', now '{wanted[name]}'" for name in differing)
            raise StoreError(
                f"{self.directory} holds a run of another setting ({parts}); use the same setting, or a new --out"
            )
        versions = {proxy.name: proxy.version for proxy in plan.proxies}
        for proxy, version in self._connection.execute("SELECT DISTINCT proxy, version FROM scores"):
            if versions.get(proxy, version) != version:
                raise StoreError(
                    f"{self.directory} holds scores of {proxy} version {version}, this harness computes version "
                    f"{versions[proxy]}; use a new --out"
                )

    def _note_own_proxies(self, plan: Plan) -> None:
        """Note the facts of proxies that are not registered, and refuse one whose source is not that of its scores."""
        noted, own = self.manifest().get(OWN_PROXIES, {}), plan.own_proxies
        scored = {name for (name,) in self._connection.execute("SELECT DISTINCT proxy FROM scores")}
        for proxy in plan.proxies:
            if proxy.name not in scored or proxy.name not in {*noted, *own}:
                continue
            if proxy.name not in noted or noted[proxy.name]["sha256"] != source_digest(proxy):
                raise StoreError(
                    f"{self.directory} holds scores of '{proxy.name}' made by other code than "
                    f"{reference(proxy)} has now; use a new --out"
                )
        if own:
            entry = (OWN_PROXIES, json.dumps(noted | own))
            self._connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", entry)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # SQLite rolls a transaction back by itself when the disk is full.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _take_lock(directory: Path) -> sqlite3.Connection:
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
def _explained(directory: Path) -> Iterator[None]:
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
