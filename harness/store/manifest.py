"""The manifest of a store: its schema, its setting, and facts about how its scores were computed.

Every entry has a checksum. The entries ``setting`` and ``checksum`` are redundant, so that either can be repaired.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness._utils.json_text import parse_json
from harness.errors import StoreError
from harness.registry.by_file import OWN_PROXIES
from harness.registry.own_benchmarks import OWN_BENCHMARK
from harness.store.checksums import (
    checksums_of_everything,
    damaged_entries,
    damaged_text_read,
    keeps_checksums,
    names_in_words,
    text_checksum,
)
from harness.store.records import Setting
from harness.store.sqlite import CHECKSUM_TABLES, READABLE, SCHEMA, SCHEMA_VERSION, transaction

OF_EVERY_STORE = ("schema", "setting", "checksum")
"""Entries that every store has; the others are facts."""


class Manifest:
    """The manifest of one store; messages name the directory."""

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        self._directory = directory
        self._connection = connection

    def entries(self) -> dict[str, Any]:
        """All entries by name, unchecked."""
        rows = self._connection.execute("SELECT key, value FROM manifest ORDER BY key")
        return {key: parse_json(value) for key, value in rows}

    def write(self, key: str, value: Any) -> None:
        """Write an entry with its checksum, within a transaction."""
        text = json.dumps(value)
        self._connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (key, text))
        self._connection.execute(
            "INSERT OR REPLACE INTO manifest_checksums VALUES (?, ?)", (key, text_checksum(key, text))
        )

    def is_new(self) -> bool:
        """Whether the file is still empty."""
        return self._connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None

    def begin(self, setting: Setting, facts: Mapping[str, Any]) -> None:
        """Create the tables of a new store, and the manifest of a run."""
        with transaction(self._connection):
            for statement in (*SCHEMA, *CHECKSUM_TABLES):
                self._connection.execute(statement)
            for key, value in {**entries_of(setting), **facts}.items():
                self.write(key, value)

    def check(self) -> None:
        """Refuse a store with an unsupported schema, a damaged manifest or a changed setting.

        Raises:
            StoreError: in these cases.
        """
        self._check_tables()
        damaged = self._damaged()
        if damaged:
            raise StoreError(
                f"the manifest in {self._directory} is damaged or was edited, entry {names_in_words(damaged)}; "
                "'harness run' with the same settings repairs it if possible; otherwise restore the file, or use a new "
                "--out"
            )
        try:
            manifest = self.entries()
            schema = manifest["schema"]
            changed = schema in READABLE and Setting(**manifest["setting"]).checksum() != manifest["checksum"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"cannot read the manifest in {self._directory} ({type(error).__name__}: {error}); the file is damaged "
                "or of another harness; restore it, or use a new --out"
            ) from error
        if schema not in READABLE:
            raise StoreError(
                f"unsupported schema {schema} in {self._directory}; this harness reads schemas {READABLE[0]} to "
                f"{READABLE[-1]}; use the harness version that wrote it, or a new --out"
            )
        if schema == SCHEMA_VERSION and not keeps_checksums(self._connection):
            raise StoreError(f"the checksums in {self._directory} are missing; restore the file, or use a new --out")
        if changed:
            raise StoreError(f"the setting in {self._directory} was edited; its scores cannot be trusted")

    def _check_tables(self) -> None:
        """Refuse a file with a changed table definition, since its columns could be misread."""
        found = dict(self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        wanted = SCHEMA if len(found) == len(SCHEMA) else (*SCHEMA, *CHECKSUM_TABLES)
        if not set(wanted) <= set(found.values()):
            raise StoreError(
                f"the store in {self._directory} is damaged or of another harness: unexpected tables; restore it, or "
                "use a new --out"
            )

    def upgrade(self) -> list[str]:
        """Add checksums to a store from an older version without them; returns notes of what was done."""
        if keeps_checksums(self._connection):
            return []
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE manifest SET value = ? WHERE key = 'schema'", (json.dumps(SCHEMA_VERSION),)
            )
            checksums_of_everything(self._connection)
        return ["an older version wrote the store without checksums; they were added, so that damage is detected"]

    def repair(self, setting: Setting, facts: Mapping[str, Any]) -> list[str]:
        """Rewrite damaged entries, if the others show that it is the same run; returns notes of what was done."""
        damaged = self._damaged()
        if not damaged or {OWN_PROXIES, OWN_BENCHMARK} & set(damaged):
            return []
        with damaged_text_read(self._connection):
            rows = self._connection.execute("SELECT key, value FROM manifest").fetchall()
        stored = {key: parse_json(value) for key, value in rows if key not in damaged}
        entries = entries_of(setting)
        differs = any(stored.get(name, value) != value for name, value in entries.items())
        if differs or not stored.keys() & {"setting", "checksum"}:
            return []
        with transaction(self._connection):
            for table in ("manifest", "manifest_checksums"):
                self._connection.execute(f"DELETE FROM {table}")
            for key, value in {**entries, **facts, **stored}.items():
                self.write(key, value)
        return [f"the manifest was damaged, entry {names_in_words(damaged)}; it was repaired"]

    def _damaged(self) -> list[str]:
        return damaged_entries(self._connection) if keeps_checksums(self._connection) else []


def entries_of(setting: Setting) -> dict[str, Any]:
    """The entries that every store has."""
    return {"schema": SCHEMA_VERSION, "setting": asdict(setting), "checksum": setting.checksum()}
