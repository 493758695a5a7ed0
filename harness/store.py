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
from harness.store_files import (
    FILE_NAME,
    PATIENCE,
    SCHEMA,
    SCHEMA_VERSION,
    SPREAD,
    connect_to_write,
    explained,
    reading_address,
    take_lock,
)
from harness.unit import Unit, UnitResult

if TYPE_CHECKING:
    import pandas as pd

_OF_THE_STORE = ("schema", "setting", "checksum")
"""Entries of the manifest that every store has; the others are facts."""

_AT_ONCE = 500
"""Architectures that one query asks after; SQLite allows as few as 999 in one."""


class Store:
    """The scores of one run directory. Use :meth:`create_or_open` to write, :meth:`read` to read.

    Attributes:
        directory: the run's directory.
        connection: to its database, for the modules of this package that look after stores.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: sqlite3.Connection | None) -> None:
        self.directory = directory
        self.connection = connection
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
        store = cls._open_for_writing(directory)
        try:
            with explained(directory):
                if store._is_new():
                    store._initialise(plan.setting, facts)
                store._check(plan)
                store._note_own_proxies(plan)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def create_or_open_like(cls, directory: Path, model: Store) -> Self:
        """The store of a directory for writing; a new one has the setting and the facts of the model, and no scores.

        Raises:
            StoreError: if the store is being written to or cannot be, or is damaged.
        """
        store = cls._open_for_writing(directory)
        try:
            with explained(directory):
                if store._is_new():
                    facts = {key: value for key, value in model.manifest().items() if key not in _OF_THE_STORE}
                    store._initialise(model.setting, facts)
                store._check_schema()
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def create_anew(cls, directory: Path, setting: Setting, facts: Mapping[str, Any]) -> Self:
        """An empty store of a setting, for writing.

        Raises:
            StoreError: if the directory holds one already, or cannot be written to.
        """
        store = cls._open_for_writing(directory)
        try:
            if not store._is_new():
                raise StoreError(f"{directory} holds a run already; give a new --out")
            store._initialise(setting, facts)
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
        with explained(directory):
            address = reading_address(directory)
            store = cls(directory, sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE), None)
            try:
                store._check_schema()
            except BaseException:
                store.close()
                raise
        return store

    @classmethod
    def _open_for_writing(cls, directory: Path) -> Self:
        with explained(directory):
            directory.mkdir(parents=True, exist_ok=True)
            lock = take_lock(directory)
            try:
                return cls(directory, connect_to_write(directory), lock)
            except BaseException:
                lock.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and, if this was the writer, the lock."""
        self.connection.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def setting(self) -> Setting:
        """What all the scores in the store were made under."""
        return Setting(**self.manifest()["setting"])

    def manifest(self) -> dict[str, Any]:
        """Schema version, setting and everything else that was noted when the store was made."""
        rows = self.connection.execute("SELECT key, value FROM manifest ORDER BY key")
        return {key: json.loads(value) for key, value in rows}

    def note(self, key: str, value: Any) -> None:
        """Write an entry of the manifest."""
        self.connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (key, json.dumps(value)))

    def missing(self, architectures: Sequence[str], proxies: Collection[str]) -> Iterator[Unit]:
        """The units still to be computed, each with the proxies that lack an outcome, one at a time.

        The outcomes of many architectures are looked up at once, when the first of them is asked for. What is added
        meanwhile must be outcomes of units that were given out before.
        """
        for start in range(0, len(architectures), _AT_ONCE):
            some = architectures[start : start + _AT_ONCE]
            done: dict[str, set[str]] = {}
            query = f"SELECT architecture, proxy FROM scores WHERE architecture IN ({', '.join('?' * len(some))})"
            with explained(self.directory):
                for architecture, proxy in self.connection.execute(query, some):
                    done.setdefault(architecture, set()).add(proxy)
            for architecture in some:
                wanted = tuple(proxy for proxy in proxies if proxy not in done.get(architecture, ()))
                if wanted:
                    yield Unit(architecture, wanted)

    def spread(self, representatives: Mapping[str, str], proxies: Collection[str]) -> None:
        """Give all architectures with one representative the outcomes that one of them has; one that failed last.

        Args:
            representatives: of each architecture that is to have them.
            proxies: whose outcomes; of the others each architecture has its own.
        """
        with explained(self.directory), self.transaction():
            for table, columns in (
                ("class", "architecture PRIMARY KEY, representative"),
                ("shared", "proxy PRIMARY KEY"),
            ):
                self.connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
            self.connection.executemany("INSERT INTO class VALUES (?, ?)", representatives.items())
            self.connection.executemany("INSERT INTO shared VALUES (?)", [(proxy,) for proxy in proxies])
            self.connection.execute(SPREAD)
            for table in ("class", "shared"):
                self.connection.execute(f"DROP TABLE {table}")

    def add(self, *results: UnitResult) -> None:
        """Commit the outcomes of one unit, perhaps for several architectures, all or none.

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
            for result in results
            for score in result.scores
        ]
        with explained(self.directory), self.transaction():
            self.connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def forget_failed(self) -> int:
        """Remove the outcomes that failed, so that they are computed again; returns how many."""
        with explained(self.directory), self.transaction():
            return self.connection.execute("DELETE FROM scores WHERE status = 'failed'").rowcount

    def scores(self) -> pd.DataFrame:
        """All outcomes, one row an architecture and proxy.

        Columns: architecture, proxy, version, seed, status, value, error, own_seconds, standalone_seconds,
        forward_backward_seconds.
        """
        import pandas as pd

        with explained(self.directory):
            found = self.connection.execute("SELECT * FROM scores ORDER BY architecture, proxy")
            table = pd.DataFrame(found.fetchall(), columns=[column[0] for column in found.description])
        table.insert(3, "seed", self.setting.seed)
        numbers = ["value", "own_seconds", "standalone_seconds", "forward_backward_seconds"]
        try:
            return table.astype(dict.fromkeys(numbers, float))
        except ValueError as error:
            raise StoreError(f"the store in {self.directory} is damaged ({error}); restore it") from error

    def _is_new(self) -> bool:
        found = self.connection.execute("SELECT name FROM sqlite_master WHERE name = 'manifest'").fetchone()
        return found is None

    def _initialise(self, setting: Setting, facts: Mapping[str, Any]) -> None:
        entries = {"schema": SCHEMA_VERSION, "setting": asdict(setting), "checksum": setting.checksum(), **facts}
        with self.transaction():
            for statement in SCHEMA:
                self.connection.execute(statement)
            self.connection.executemany(
                "INSERT INTO manifest VALUES (?, ?)", [(key, json.dumps(value)) for key, value in entries.items()]
            )

    def _check_schema(self) -> None:
        try:
            manifest = self.manifest()
            schema = manifest["schema"]
            changed = schema == SCHEMA_VERSION and Setting(**manifest["setting"]).checksum() != manifest["checksum"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"the manifest in {self.directory} cannot be read ({type(error).__name__}: {error}); the file is "
                "damaged or of another harness; restore it, or use a new --out"
            ) from error
        if schema != SCHEMA_VERSION:
            raise StoreError(
                f"{self.directory} has schema {schema}, this harness reads schema {SCHEMA_VERSION}; "
                "use the harness version that made it, or a new --out"
            )
        if changed:
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
        for proxy, version in self.connection.execute("SELECT DISTINCT proxy, version FROM scores"):
            if versions.get(proxy, version) != version:
                raise StoreError(
                    f"{self.directory} holds scores of {proxy} version {version}, this harness computes version "
                    f"{versions[proxy]}; use a new --out"
                )

    def _note_own_proxies(self, plan: Plan) -> None:
        """Note the facts of proxies that are not registered, and refuse one whose source is not that of its scores."""
        noted, own = self.manifest().get(OWN_PROXIES, {}), plan.own_proxies
        scored = {name for (name,) in self.connection.execute("SELECT DISTINCT proxy FROM scores")}
        for proxy in plan.proxies:
            if proxy.name not in scored or proxy.name not in {*noted, *own}:
                continue
            if proxy.name not in noted or noted[proxy.name]["sha256"] != source_digest(proxy):
                raise StoreError(
                    f"{self.directory} holds scores of '{proxy.name}' made by other code than "
                    f"{reference(proxy)} has now; use a new --out"
                )
        if own:
            self.note(OWN_PROXIES, noted | own)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing."""
        # Ctrl-C may come between any two of these steps.
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # SQLite rolls a transaction back by itself when the disk is full.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
