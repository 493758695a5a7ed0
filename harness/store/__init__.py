"""The scores of a run: one SQLite file, written by one process, committed unit by unit.

After a killed run, every committed unit is complete. Opening the store with the same setting resumes the run. Opening
it with another setting is refused, so that scores from different conditions are never mixed.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.errors import StoreError
from harness.registry import is_registered, reference
from harness.registry.by_file import OWN_PROXIES, facts_of, source_digest
from harness.registry.own_benchmarks import OWN_BENCHMARK, changes
from harness.store.checksums import (
    WRONG_TYPE,
    damaged_units,
    keeps_checksums,
    names_in_words,
    refuse_damaged,
)
from harness.store.columns import COLUMNS, rows_of
from harness.store.manifest import OF_EVERY_STORE, Manifest
from harness.store.outcomes import Outcomes
from harness.store.records import Setting, Unit, UnitResult
from harness.store.sqlite import (
    FILE_NAME,
    PATIENCE,
    connect_to_write,
    explained,
    reading_address,
    snapshot,
    take_lock,
    transaction,
)

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.proxy import Proxy

_AT_ONCE = 500
"""Architectures per query; some builds of SQLite allow only 999."""


class Store:
    """The scores of one run directory. Use :meth:`create_or_open` to write, :meth:`read` to read.

    Attributes:
        directory: the run's directory.
        connection: the connection to its database, for the maintenance modules of this package.
        outcomes: its table of scores, for the same modules.
        notes: what was repaired when it was opened for writing, in sentences.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: sqlite3.Connection | None) -> None:
        self.directory = directory
        self.connection = connection
        self._lock = lock
        self.outcomes = Outcomes(connection)
        self._manifest = Manifest(directory, connection)
        self.notes: list[str] = []

    def __repr__(self) -> str:
        """Its location, also when it is closed."""
        return f"<store of the run {self.directory}>"

    @classmethod
    def create_or_open(
        cls, directory: Path, setting: Setting, proxies: Sequence[Proxy], facts: Mapping[str, Any]
    ) -> Self:
        """Open the store of a new or resumed run for writing; a new one gets the facts in its manifest.

        Networks with damaged outcomes are removed, so that they are computed again; the notes say so.

        Raises:
            StoreError: if the store has another setting, or another version or source of a proxy, is in use by another
                run, or cannot be written.
        """
        with cls._opening(directory) as store:
            if store._manifest.is_new():
                store._manifest.begin(setting, facts)
            store.notes += store._manifest.repair(setting, facts)
            store._check_setting(setting)
            store.notes += store._manifest.upgrade()
            store._remove_damaged(proxies)
            store._check_versions(proxies)
            store._note_own_proxies(proxies)
            store._note_own_benchmark(facts.get(OWN_BENCHMARK))
        return store

    @classmethod
    def create_or_open_like(cls, directory: Path, model: Store) -> Self:
        """Open a store for writing; a new one gets the setting and facts of the model, and no scores.

        Raises:
            StoreError: if another run is writing to the store, or it cannot be written or is damaged.
        """
        with cls._opening(directory) as store:
            if store._manifest.is_new():
                facts = {key: value for key, value in model.manifest().items() if key not in OF_EVERY_STORE}
                store._manifest.begin(model.setting, facts)
            store._manifest.check()
            store.notes += store._manifest.upgrade()
        return store

    @classmethod
    def create_anew(cls, directory: Path, setting: Setting, facts: Mapping[str, Any]) -> Self:
        """Create an empty store with a setting, for writing.

        Raises:
            StoreError: if the directory already has a store, or cannot be written to.
        """
        with cls._opening(directory) as store:
            if not store._manifest.is_new():
                raise StoreError(f"{directory} already contains a run; give a new --out")
            store._manifest.begin(setting, facts)
        return store

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Open the store of a run for reading, also while the run is in progress.

        Raises:
            StoreError: if there is no store, or it is damaged or has an unsupported schema.
        """
        path = directory / FILE_NAME
        if not path.is_file():
            raise StoreError(f"no run in {directory} (no {FILE_NAME}); give the --out directory of a 'harness run'")
        with explained(directory), ExitStack() as on_error:
            address = reading_address(directory)
            connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
            store = cls(directory, connection, None)
            on_error.callback(store.close)
            store._manifest.check()
            on_error.pop_all()
        return store

    @classmethod
    @contextmanager
    def _opening(cls, directory: Path) -> Iterator[Self]:
        """Open a store for writing; it is closed again if the block fails."""
        with explained(directory), ExitStack() as on_error:
            directory.mkdir(parents=True, exist_ok=True)
            lock = on_error.enter_context(closing(take_lock(directory)))
            store = cls(directory, connect_to_write(directory), lock)
            on_error.callback(store.close)
            yield store
            on_error.pop_all()

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
        """The setting that all scores of the store were computed with."""
        return Setting(**self.manifest()["setting"])

    def manifest(self) -> dict[str, Any]:
        """Schema version, setting and all other entries written when the store was created."""
        return self._manifest.entries()

    def note(self, key: str, value: Any) -> None:
        """Write an entry of the manifest."""
        with explained(self.directory), self.transaction():
            self._manifest.write(key, value)

    def missing(self, architectures: Sequence[str], proxies: Collection[str]) -> Iterator[Unit]:
        """Yield the units still to be computed, each with the proxies that lack an outcome.

        Outcomes are looked up for many architectures at once, when the first of them is requested. Outcomes added
        meanwhile must belong to units that were already yielded.
        """
        for start in range(0, len(architectures), _AT_ONCE):
            some = architectures[start : start + _AT_ONCE]
            with explained(self.directory):
                done = self.outcomes.proxies_of(some)
            for architecture in some:
                wanted = tuple(proxy for proxy in proxies if proxy not in done.get(architecture, ()))
                if wanted:
                    yield Unit(architecture, wanted)

    def spread(self, representatives: Mapping[str, str], proxies: Collection[str]) -> None:
        """Copy the proxies' outcomes to all architectures with the same representative; failed ones only if need be."""
        with explained(self.directory), self.transaction():
            self.outcomes.spread(representatives, proxies)

    def add(self, *results: UnitResult) -> None:
        """Commit the outcomes of one unit, possibly for several architectures, all or none.

        Raises:
            StoreError: if an outcome exists already, or the file cannot be written (disk full).
        """
        rows = [row for result in results for row in rows_of(result)]
        with explained(self.directory), self.transaction():
            self.outcomes.add(rows)

    def forget_failed(self) -> int:
        """Remove failed outcomes, so that they are computed again; returns their number."""
        with explained(self.directory), self.transaction():
            return self.outcomes.remove_failed()

    def scores(self, *, leave_out_damaged: bool = False) -> pd.DataFrame:
        """All outcomes, one row per architecture and proxy.

        Columns: architecture, proxy, version, seed, status, value, error, own_seconds, standalone_seconds,
        forward_backward_seconds.

        Raises:
            StoreError: if networks do not match their checksum and are not left out, or the file cannot be read.
        """
        with explained(self.directory), snapshot(self.connection):
            table = self.outcomes.table()
            if table is None:
                damaged = self.damaged_units()
                if not leave_out_damaged:
                    refuse_damaged(self.directory, damaged)
                try:
                    table = self.outcomes.table_without(damaged)
                except WRONG_TYPE as error:
                    raise StoreError(f"the store in {self.directory} is damaged ({error}); restore it") from error
        setting = self.setting
        table.insert(COLUMNS.index("status"), "seed", setting.seed)
        if setting.origin is not None:
            # No time was measured; the file has zeros because every outcome needs a number there.
            table[["own_seconds", "standalone_seconds"]] = math.nan
        return table

    def damaged_units(self) -> list[str]:
        """The networks whose outcomes do not match their checksum, sorted; none if the store has no checksums.

        Raises:
            StoreError: if the file is too damaged to be read.
        """
        with explained(self.directory), snapshot(self.connection):
            return damaged_units(self.connection) if keeps_checksums(self.connection) else []

    def _remove_damaged(self, proxies: Sequence[Proxy]) -> None:
        damaged = self.damaged_units()
        if not damaged:
            return
        with self.transaction():
            self.outcomes.remove_units(damaged)
        note = f"damaged outcomes of {names_in_words(damaged)} were removed and will be computed again"
        others = dict(self.outcomes.versions()).keys() - {proxy.name for proxy in proxies}
        if others:
            note += f"; to recompute {', '.join(sorted(others))} too, run again with these proxies"
        self.notes.append(note)

    def _check_setting(self, setting: Setting) -> None:
        self._manifest.check()
        mine, wanted = asdict(self.setting), asdict(setting)
        differing = [name for name in mine if mine[name] != wanted[name]]
        if differing:
            parts = "; ".join(f"{name}: stored '{mine[name]}', now '{wanted[name]}'" for name in differing)
            raise StoreError(
                f"{self.directory} contains a run with other settings ({parts}); use the same settings, or a new --out"
            )

    def _check_versions(self, proxies: Sequence[Proxy]) -> None:
        versions = {proxy.name: proxy.version for proxy in proxies}
        for proxy, version in self.outcomes.versions():
            if versions.get(proxy, version) != version:
                raise StoreError(
                    f"{self.directory} has scores of {proxy} version {version}, but this harness computes version "
                    f"{versions[proxy]}; use a new --out, or export the run and restore it --without {proxy}"
                )

    def _note_own_proxies(self, proxies: Sequence[Proxy]) -> None:
        """Store the facts of unregistered proxies, and refuse one if its source changed after it was scored."""
        noted = self.manifest().get(OWN_PROXIES, {})
        own = {proxy.name: facts_of(proxy) for proxy in proxies if not is_registered(proxy)}
        scored = dict(self.outcomes.versions())
        for proxy in proxies:
            if proxy.name not in scored or proxy.name not in {*noted, *own}:
                continue
            if proxy.name not in noted or noted[proxy.name]["sha256"] != source_digest(proxy):
                raise StoreError(
                    f"{self.directory} has scores of '{proxy.name}' from other code than the current "
                    f"{reference(proxy)}; use a new --out"
                )
        if own and noted | own != noted:
            self.note(OWN_PROXIES, noted | own)

    def _note_own_benchmark(self, now: Mapping[str, Any] | None) -> None:
        """Store where an unregistered benchmark is, and refuse other code or data if it has scores."""
        noted = self.manifest().get(OWN_BENCHMARK)
        if now is None or noted == now:
            return
        changed = changes(noted, now) if noted else ""
        if changed and self.outcomes.versions():
            raise StoreError(
                f"{self.directory} has scores of another version of the benchmark '{self.setting.benchmark}' than the "
                f"current {now['reference']}, which differs in {changed}; use a new --out"
            )
        self.note(OWN_BENCHMARK, dict(now))

    def transaction(self) -> AbstractContextManager[None]:
        """Commit everything written in the block, or nothing."""
        return transaction(self.connection)
