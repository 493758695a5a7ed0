"""Restore a run from its published scores, so that it can be resumed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from harness._utils.arguments import accepts, path, texts
from harness._utils.names import listed
from harness.errors import HarnessError
from harness.store import Store
from harness.store.columns import COLUMNS, Row, as_stored
from harness.store.records import Setting
from harness.store.score_files import read_manifest
from harness.store.seeds import SCORES_FILE, check_seed, published_seeds, seed_directory
from harness.store.sqlite import explained


@accepts(scores=path, directory=path, without=texts)
def restore(scores: Path | str, directory: Path | str, *, without: Iterable[str] = ()) -> int:
    """Create the store of a run from a table of its scores; returns the number of outcomes.

    Further seeds that a report's directory has are restored too.

    The table does not include the mini-batches. ``harness run`` with the same settings and images draws them again, and
    refuses to resume if they differ.

    The table is the output of ``harness store export`` (with its manifest beside it), or the ``scores.csv.gz`` of a
    report, which may also be given by its directory. Scores of the proxies in ``without``, such as those of an older
    version, are left out, so that ``harness run`` computes them again.

    Raises:
        HarnessError: if the table or its manifest is missing, damaged or edited, there is a run already, no table
            has scores of a proxy to leave out, or a further seed is of another run.
    """
    left_out, source, target = set(without), Path(scores), Path(directory)
    runs = {target: _read(source)}
    for seed, published in published_seeds(source).items():
        place = seed_directory(target, seed)
        runs[place] = _read(published)
        check_seed(runs[target][0], runs[place][0], published)
    proxy = COLUMNS.index("proxy")
    there = {str(row[proxy]) for _, _, rows in runs.values() for row in rows}
    if lacking := left_out - there:
        raise HarnessError(
            f"'{source}' has no scores of {listed(sorted(lacking))}; it has scores of {listed(sorted(there))}"
        )
    restored = 0
    for place, (setting, facts, rows) in runs.items():
        kept = [row for row in rows if row[proxy] not in left_out]
        with Store.create_anew(place, setting, facts) as store, explained(place), store.transaction():
            store.outcomes.add(kept)
        restored += len(kept)
    return restored


def _read(source: Path) -> tuple[Setting, dict[str, Any], list[Row]]:
    table, manifest_file = _files(source)
    setting, facts = _manifest(manifest_file, table)
    return setting, facts, _rows(table, timed=setting.origin is None)


def _files(path: Path) -> tuple[Path, Path]:
    """The table of scores and its manifest."""
    table = path / SCORES_FILE if path.is_dir() else path
    if not table.is_file():
        raise HarnessError(f"no table of scores '{table}'")
    for manifest in (table.with_name(f"{table.name}.json"), table.with_name("manifest.json")):
        if manifest.is_file():
            return table, manifest
    raise HarnessError(f"'{table}' has no manifest beside it ('{table.name}.json' or 'manifest.json')")


def _manifest(file: Path, scores: Path) -> tuple[Setting, dict[str, Any]]:
    manifest = read_manifest(file, scores)
    try:
        setting, checksum = Setting(**manifest.pop("setting")), manifest.pop("checksum")
    except (ValueError, TypeError, KeyError) as error:
        raise HarnessError(f"'{file}' is not the manifest of a run ({error})") from error
    if setting.checksum() != checksum:
        raise HarnessError(f"the setting in '{file}' was edited; its scores cannot be trusted")
    manifest.pop("schema", None)
    return setting, {**manifest, "restored_from": file.name}


def _rows(file: Path, timed: bool) -> list[Row]:
    try:
        # As text, so that every number is restored to the last bit.
        table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype=str)
        table = table[list(COLUMNS)].astype(object)
        if not timed:
            table[["own_seconds", "standalone_seconds"]] = 0.0
        table = table.where(table.notna(), None)
        return list(map(as_stored, table.itertuples(index=False, name=None)))
    except (ValueError, TypeError, KeyError, OSError, EOFError, zlib.error, MemoryError) as error:
        raise HarnessError(f"'{file}' is not a table of scores ({error})") from error
