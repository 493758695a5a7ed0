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

from harness._utils.json_text import parse_json
from harness.errors import StoreError
from harness.registry import is_registered, reference
from harness.registry.by_file import OWN_PROXIES, facts_of, source_digest
from harness.store.checksums import (
    WRONG_TYPE,
    Row,
    add_checksums,
    add_up,
    by_column,
    checksums_of_everything,
    columns_of,
    damaged_entries,
    damaged_text_read,
    damaged_units,
    in_words,
    keeps_checksums,
    refuse_damaged,
    remove_units,
    stored_checksums,
    text_checksum,
    unit_checksums,
    values_of,
)
from harness.store.records import Setting, Unit, UnitResult
from harness.store.sqlite import (
    CHECKSUM_TABLES,
    COLUMNS,
    FILE_NAME,
    PATIENCE,
    READABLE,
    SCHEMA,
    SCHEMA_VERSION,
    SPREAD,
    connect_to_write,
    explained,
    reading_address,
    take_lock,
)

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.proxy import Proxy

_OF_THE_STORE = ("schema", "setting", "checksum")
"""Entries of the manifest that every store has; the others are facts."""

_AT_ONCE = 500
"""Architectures that one query asks after; SQLite allows as few as 999 in one."""


class Store:
    """The scores of one run directory. Use :meth:`create_or_open` to write, :meth:`read` to read.

    Attributes:
        directory: the run's directory.
        connection: to its database, for the modules of this package that look after stores.
        notes: what was mended when it was opened for writing, in sentences.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: sqlite3.Connection | None) -> None:
        self.directory = directory
        self.connection = connection
        self._lock = lock
        self.notes: list[str] = []

    def __repr__(self) -> str:
        """Where it is, also when it is closed."""
        return f"<store of the run {self.directory}>"

    @classmethod
    def create_or_open(
        cls, directory: Path, setting: Setting, proxies: Sequence[Proxy], facts: Mapping[str, Any]
    ) -> Self:
        """The store of a run, new or continued, for writing.

        Networks whose outcomes were damaged are removed, so that they are missing and computed again; the notes say so.

        Args:
            directory: the run's directory; made if it is not there.
            setting: must be that of the store.
            proxies: that are to be computed; their versions and sources must be those of the store.
            facts: further entries for a new store's manifest.

        Raises:
            StoreError: if the store belongs to another setting, version or run in progress, or cannot be written.
        """
        store = cls._open_for_writing(directory)
        try:
            with explained(directory):
                if store._is_new():
                    store._initialise(setting, facts)
                store._mend_manifest(setting, facts)
                store._check_setting(setting)
                store._keep_checksums()
                store._remove_damaged(proxies)
                store._check_versions(proxies)
                store._note_own_proxies(proxies)
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
                store._keep_checksums()
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
        return {key: parse_json(value) for key, value in rows}

    def note(self, key: str, value: Any) -> None:
        """Write an entry of the manifest."""
        with explained(self.directory), self.transaction():
            self._write_entry(key, value)

    def _write_entry(self, key: str, value: Any) -> None:
        text = json.dumps(value)
        self.connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (key, text))
        self.connection.execute(
            "INSERT OR REPLACE INTO manifest_checksums VALUES (?, ?)", (key, text_checksum(key, text))
        )

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
            self.add_incoming()
            for table in ("class", "shared"):
                self.connection.execute(f"DROP TABLE {table}")

    def add_incoming(self) -> int:
        """Add the outcomes of the temporary table ``incoming``, which is dropped, within a transaction.

        Those that are there already are replaced; returns how many there are.
        """
        totals, _ = unit_checksums(values_of(self.connection, "SELECT * FROM temp.incoming"))
        replaced, _ = unit_checksums(
            values_of(self.connection, "SELECT scores.* FROM scores JOIN temp.incoming USING (architecture, proxy)")
        )
        for part in (totals, replaced):
            add_checksums(self.connection, part)
        count = self.connection.execute("INSERT OR REPLACE INTO scores SELECT * FROM temp.incoming").rowcount
        self.connection.execute("DROP TABLE temp.incoming")
        return count

    def add(self, *results: UnitResult) -> None:
        """Commit the outcomes of one unit, perhaps for several architectures, all or none.

        Raises:
            StoreError: if an outcome is there already, or the file cannot be written (disk full).
        """
        # As SQLite gives them back: every number that is no version is a float.
        rows = [
            (
                result.architecture,
                score.proxy,
                int(score.version),
                score.status,
                None if score.value is None else float(score.value),
                score.error,
                float(score.own_seconds),
                float(score.standalone_seconds),
                float(result.forward_backward_seconds),
            )
            for result in results
            for score in result.scores
        ]
        with explained(self.directory), self.transaction():
            self.add_rows(rows)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add outcomes with their checksums, within a transaction; none may be there already."""
        self.connection.executemany(f"INSERT INTO scores VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        totals, _ = unit_checksums([by_column(rows)])
        add_checksums(self.connection, totals)

    def forget_failed(self) -> int:
        """Remove the outcomes that failed, so that they are computed again; returns how many."""
        with explained(self.directory), self.transaction():
            failed, _ = unit_checksums(values_of(self.connection, "SELECT * FROM scores WHERE status = 'failed'"))
            add_checksums(self.connection, failed)
            # What is left of no outcome is nothing.
            self.connection.execute("DELETE FROM unit_checksums WHERE checksum = 0")
            return self.connection.execute("DELETE FROM scores WHERE status = 'failed'").rowcount

    def scores(self, *, leave_out_damaged: bool = False) -> pd.DataFrame:
        """All outcomes, one row an architecture and proxy.

        Columns: architecture, proxy, version, seed, status, value, error, own_seconds, standalone_seconds,
        forward_backward_seconds.

        Args:
            leave_out_damaged: whether networks whose outcomes do not match their checksum are left out.

        Raises:
            StoreError: if there are such networks and they are not left out, or the file cannot be read.
        """
        import pandas as pd

        query = "SELECT * FROM scores ORDER BY architecture, proxy"
        with explained(self.directory), self._snapshot():
            table = self._checked_table(query)
            if table is None:
                damaged = self.damaged_units()
                if not leave_out_damaged:
                    refuse_damaged(self.directory, damaged)
                with damaged_text_read(self.connection):
                    rows = self.connection.execute(query).fetchall()
                try:
                    columns = columns_of(by_column([row for row in rows if row[0] not in set(damaged)]))
                except WRONG_TYPE as error:
                    raise StoreError(f"the store in {self.directory} is damaged ({error}); restore it") from error
                table = pd.DataFrame(columns)
        table.insert(3, "seed", self.setting.seed)
        return table

    def _checked_table(self, query: str) -> pd.DataFrame | None:
        """The outcomes that a query finds; None if they are not as they were written."""
        import pandas as pd

        parts: list[pd.DataFrame] = []
        errors: list[str | None] = []
        totals: dict[str, int] = {}
        checked = keeps_checksums(self.connection)
        try:
            # In parts: Python's collector of garbage would go through millions of objects again and again.
            for values in values_of(self.connection, query):
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
        if checked and totals != stored_checksums(self.connection):
            return None
        table = pd.concat(parts, ignore_index=True)
        table.insert(COLUMNS.index("error"), "error", errors)
        return table

    def damaged_units(self) -> list[str]:
        """The networks whose outcomes do not match their checksum, sorted; none where no checksums are kept.

        Raises:
            StoreError: if the file is so damaged that it cannot be read.
        """
        with explained(self.directory), self._snapshot():
            return damaged_units(self.connection) if keeps_checksums(self.connection) else []

    def _is_new(self) -> bool:
        return self.connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None

    def _initialise(self, setting: Setting, facts: Mapping[str, Any]) -> None:
        entries = {**self._entries_of(setting), **facts}
        with self.transaction():
            for statement in (*SCHEMA, *CHECKSUM_TABLES):
                self.connection.execute(statement)
            for key, value in entries.items():
                self._write_entry(key, value)

    @staticmethod
    def _entries_of(setting: Setting) -> dict[str, Any]:
        return {"schema": SCHEMA_VERSION, "setting": asdict(setting), "checksum": setting.checksum()}

    def _check_schema(self) -> None:
        self._check_tables()
        damaged = self._damaged_entries()
        if damaged:
            raise StoreError(
                f"the manifest in {self.directory} was damaged or changed by hand, entry {in_words(damaged)}; 'harness "
                "run' with the same settings mends it if enough is left; else restore the file, or use a new --out"
            )
        try:
            manifest = self.manifest()
            schema = manifest["schema"]
            changed = schema in READABLE and Setting(**manifest["setting"]).checksum() != manifest["checksum"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"the manifest in {self.directory} cannot be read ({type(error).__name__}: {error}); the file is "
                "damaged or of another harness; restore it, or use a new --out"
            ) from error
        if schema not in READABLE:
            raise StoreError(
                f"{self.directory} has schema {schema}, this harness reads schemas {READABLE[0]} to {READABLE[-1]}; "
                "use the harness version that made it, or a new --out"
            )
        if schema == SCHEMA_VERSION and not keeps_checksums(self.connection):
            raise StoreError(f"{self.directory} lost its checksums; restore the file, or use a new --out")
        if changed:
            raise StoreError(f"the setting in {self.directory} was changed by hand; its scores cannot be trusted")

    def _check_tables(self) -> None:
        """Refuse a file whose description of its tables is not as it was written: columns would be mistaken."""
        found = dict(self.connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        wanted = SCHEMA if len(found) == len(SCHEMA) else (*SCHEMA, *CHECKSUM_TABLES)
        if not set(wanted) <= set(found.values()):
            raise StoreError(
                f"the store in {self.directory} is damaged or of another harness: its tables are not those that are "
                "written; restore it, or use a new --out"
            )

    def _damaged_entries(self) -> list[str]:
        return damaged_entries(self.connection) if keeps_checksums(self.connection) else []

    def _mend_manifest(self, setting: Setting, facts: Mapping[str, Any]) -> None:
        """Write damaged entries of the manifest again, if what is left of it shows that it is the same run."""
        damaged = self._damaged_entries()
        if not damaged or OWN_PROXIES in damaged:
            return
        stored = self._sound_entries(damaged)
        entries = self._entries_of(setting)
        if not any(name in stored for name in ("setting", "checksum")) or any(
            stored.get(name, value) != value for name, value in entries.items()
        ):
            return
        with self.transaction():
            for table in ("manifest", "manifest_checksums"):
                self.connection.execute(f"DELETE FROM {table}")
            for key, value in {**entries, **facts, **stored}.items():
                self._write_entry(key, value)
        self.notes.append(f"the manifest was damaged, entry {in_words(damaged)}; it was written again")

    def _sound_entries(self, damaged: Collection[str]) -> dict[str, Any]:
        with damaged_text_read(self.connection):
            rows = self.connection.execute("SELECT key, value FROM manifest").fetchall()
        return {key: parse_json(value) for key, value in rows if key not in damaged}

    def _keep_checksums(self) -> None:
        """Give a store of before there were checksums those of what it holds."""
        if keeps_checksums(self.connection):
            return
        with self.transaction():
            self.connection.execute("UPDATE manifest SET value = ? WHERE key = 'schema'", (json.dumps(SCHEMA_VERSION),))
            checksums_of_everything(self.connection)
        self.notes.append(
            "the store was written before checksums were kept; from now on it has them, so that damage is found"
        )

    def _remove_damaged(self, proxies: Sequence[Proxy]) -> None:
        damaged = self.damaged_units()
        if not damaged:
            return
        with self.transaction():
            remove_units(self.connection, damaged)
        note = f"the outcomes of {in_words(damaged)} were damaged; they were removed and are computed again"
        others = {name for (name,) in self.connection.execute("SELECT DISTINCT proxy FROM scores")}
        others -= {proxy.name for proxy in proxies}
        if others:
            note += f", those of {', '.join(sorted(others))} by a run with these proxies"
        self.notes.append(note)

    def _check_setting(self, setting: Setting) -> None:
        self._check_schema()
        mine, wanted = asdict(self.setting), asdict(setting)
        differing = [name for name in mine if mine[name] != wanted[name]]
        if differing:
            parts = "; ".join(f"{name}: there '{mine[name]}', now '{wanted[name]}'" for name in differing)
            raise StoreError(
                f"{self.directory} holds a run of another setting ({parts}); use the same setting, or a new --out"
            )

    def _check_versions(self, proxies: Sequence[Proxy]) -> None:
        versions = {proxy.name: proxy.version for proxy in proxies}
        for proxy, version in self.connection.execute("SELECT DISTINCT proxy, version FROM scores"):
            if versions.get(proxy, version) != version:
                raise StoreError(
                    f"{self.directory} holds scores of {proxy} version {version}, this harness computes version "
                    f"{versions[proxy]}; use a new --out"
                )

    def _note_own_proxies(self, proxies: Sequence[Proxy]) -> None:
        """Note the facts of proxies that are not registered, and refuse one whose source is not that of its scores."""
        noted, own = (
            self.manifest().get(OWN_PROXIES, {}),
            {proxy.name: facts_of(proxy) for proxy in proxies if not is_registered(proxy)},
        )
        scored = {name for (name,) in self.connection.execute("SELECT DISTINCT proxy FROM scores")}
        for proxy in proxies:
            if proxy.name not in scored or proxy.name not in {*noted, *own}:
                continue
            if proxy.name not in noted or noted[proxy.name]["sha256"] != source_digest(proxy):
                raise StoreError(
                    f"{self.directory} holds scores of '{proxy.name}' made by other code than "
                    f"{reference(proxy)} has now; use a new --out"
                )
        if own and noted | own != noted:
            self.note(OWN_PROXIES, noted | own)

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """All that is read in the block is of one moment, also while a run goes on."""
        own = not self.connection.in_transaction
        if own:
            self.connection.execute("BEGIN")
        try:
            yield
        finally:
            if own:
                self.connection.rollback()

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
