"""Maintenance of a run's store: verify it, export its scores, compact its file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness._utils.arguments import accepts, path
from harness._utils.finding import Finding
from harness._utils.visible import one_line
from harness.errors import HarnessError, StoreError
from harness.images.batches import BATCHES_FILE, read_batches
from harness.registry.own_benchmarks import benchmark_of_run
from harness.store import Store
from harness.store.checksums import keeps_checksums, names_in_words
from harness.store.records import GIVEN_TRUTHS
from harness.store.score_files import write_manifest
from harness.store.seeds import check_seed, further_seeds
from harness.store.sqlite import FILE_NAME, explained

EXPORTS = (".csv", ".csv.gz", ".parquet")


@accepts(directory=path)
def verify(directory: Path | str) -> list[Finding]:
    """Check everything in a run's directory that its scores depend on, also while the run is in progress.

    Findings on further seeds name the seed.

    Raises:
        StoreError: if there is no run, or it is too damaged to be opened.
    """
    first = Path(directory)
    findings = _verify(first)
    for seed, place in further_seeds(first).items():
        try:
            with Store.read(first) as store, Store.read(place) as further:
                check_seed(store.setting, further.setting, place)
            found = _verify(place)
        except StoreError as error:
            found = [Finding("run", False, str(error))]
        findings += [replace(each, what=f"seed {seed}, {each.what}") for each in found]
    return findings


def _verify(directory: Path) -> list[Finding]:
    """Check the run of one seed."""
    with Store.read(directory) as store, explained(store.directory):
        file = _file(store)
        if not file.right:
            # The content of a damaged file is unreliable, except for what a checksum protects.
            with contextlib.suppress(StoreError):
                checksums = _checksums(store)
                return [file] if checksums.right else [file, checksums]
            return [file]
        checksums = _checksums(store)
        setting = Finding("setting", True, "unchanged since the run began")
        return [file, setting, checksums, *_contents(store, checksums.right)]


def _file(store: Store) -> Finding:
    with explained(store.directory):
        problems = [text for (text,) in store.connection.execute("PRAGMA integrity_check(3)")]
    if problems == ["ok"]:
        return Finding("file", True, f"{FILE_NAME} is intact")
    words = "; ".join(map(one_line, problems))
    return Finding("file", False, f"{FILE_NAME} is damaged ({words}); restore it, or run again with a new --out")


def _checksums(store: Store) -> Finding:
    """Check the outcomes of every network against their checksum."""
    if not keeps_checksums(store.connection):
        return Finding(
            "checksums",
            True,
            "none, since an older version wrote the store; 'harness run' with the same settings adds them",
        )
    damaged = store.damaged_units()
    if damaged:
        words = f"mismatch for the outcomes of {names_in_words(damaged)}"
        return Finding("checksums", False, f"{words}; 'harness run' with the same settings computes them again")
    return Finding("checksums", True, "the outcomes of every network match")


def _contents(store: Store, sound: bool) -> Iterator[Finding]:
    origin = store.setting.origin
    try:
        if origin is None:
            read_batches(store.directory / BATCHES_FILE, store.setting.fingerprint)
        words = "those that the scores were computed with" if origin is None else f"none: the scores were {origin}"
        yield Finding("mini-batches", True, words)
    except HarnessError as error:
        yield Finding("mini-batches", False, str(error))
    if not sound:
        # The content of damaged outcomes is unreliable.
        return
    scored = store.outcomes.architectures()
    try:
        if GIVEN_TRUTHS in store.manifest():
            strangers = set[str]()
        else:
            benchmark, _ = benchmark_of_run(store.setting.benchmark, store.manifest())
            strangers = scored.difference(benchmark.architectures())
    except HarnessError as error:
        yield Finding("architectures", False, f"cannot be checked: {error}")
    else:
        words = f"{len(scored):,}, all of {store.setting.benchmark}"
        if strangers:
            words = (
                f"{len(strangers):,} of {len(scored):,} do not belong to {store.setting.benchmark}, such as "
                f"'{min(strangers)}'"
            )
        yield Finding("architectures", not strangers, words)
    counts = store.outcomes.by_status()
    words = ", ".join(f"{number:,} {status.replace('_', '-')}" for status, number in counts.items())
    yield Finding("outcomes", "failed" not in counts, words or "none yet")


@accepts(directory=path, file=path)
def export(directory: Path | str, file: Path | str, *, leave_out_damaged: bool = False) -> int:
    """Write the scores of a run to one table, and the manifest as JSON beside it; returns the number of rows.

    Further seeds are runs of their own; :func:`harness.report` writes them too.

    The file is ``.csv``, ``.csv.gz`` or ``.parquet``; the manifest's name adds ``.json``. The manifest has checksums of
    the table and of itself, and names the networks with damaged outcomes if they are left out.

    Raises:
        HarnessError: if the file has another extension, there is no run, or it is damaged.
    """
    target = Path(file)
    if not target.name.endswith(EXPORTS):
        raise HarnessError(f"unknown format of '{target.name}'; use one of {', '.join(EXPORTS)}")
    with Store.read(Path(directory)) as store:
        scores, manifest = store.scores(leave_out_damaged=leave_out_damaged), store.manifest()
        damaged = store.damaged_units() if leave_out_damaged else []
    if damaged:
        manifest["left_out_as_damaged"] = [one_line(name) for name in damaged]
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".parquet":
        scores.to_parquet(target, index=False)
    else:
        compression = {"method": "gzip", "mtime": 0} if target.suffix == ".gz" else None
        scores.to_csv(target, index=False, compression=compression, lineterminator="\n")
    write_manifest(target.with_name(f"{target.name}.json"), manifest, target)
    return len(scores)


@accepts(directory=path)
def compact(directory: Path | str) -> tuple[int, int]:
    """Rewrite the files of a run and its further seeds without unused space; returns their bytes before and after.

    Raises:
        StoreError: if there is no run, or another process is writing to it.
    """
    sizes = [_compact(place) for place in (Path(directory), *further_seeds(Path(directory)).values())]
    return sum(before for before, _ in sizes), sum(after for _, after in sizes)


def _compact(place: Path) -> tuple[int, int]:
    with Store.read(place) as model:
        pass
    # The model is closed here, since on a network file system the writer may need exclusive access.
    with Store.create_or_open_like(place, model) as store:
        before = _bytes(place)
        with explained(place):
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            store.connection.execute("VACUUM")
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, _bytes(place)


def _bytes(directory: Path) -> int:
    """The size of the database and its logs."""
    return sum(path.stat().st_size for path in directory.glob(f"{FILE_NAME}*") if not path.name.endswith("-shm"))
