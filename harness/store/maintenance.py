"""Looking after the store of a run: is it sound, its scores as a plain file, its file made small."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness._utils.arguments import accepts, path
from harness._utils.visible import one_line
from harness.errors import HarnessError, StoreError
from harness.images.batches import BATCHES_FILE, read_batches
from harness.registry import load_benchmark
from harness.store import Store
from harness.store.checksums import in_words, keeps_checksums
from harness.store.score_files import write_manifest
from harness.store.sqlite import FILE_NAME, explained

EXPORTS = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: was looked at.
        right: whether it is as it should be.
        words: what was found, and what to do where it is wrong.
    """

    what: str
    right: bool
    words: str

    def line(self) -> str:
        """For a terminal.

        >>> Finding("batches", False, "missing").line()
        '✗ batches: missing'
        """
        return f"{'✓' if self.right else '✗'} {self.what}: {self.words}"


@accepts(directory=path)
def verify(directory: Path | str) -> list[Finding]:
    """Look at everything in a run's directory that its scores rest on; the run may be going on.

    Raises:
        StoreError: if there is no run, or so little of it is left that it cannot be opened.
    """
    with Store.read(Path(directory)) as store, explained(store.directory):
        file = _file(store)
        if not file.right:
            # What a damaged file says of its contents means nothing, but for what is checked against a checksum.
            with contextlib.suppress(StoreError):
                checksums = _checksums(store)
                return [file] if checksums.right else [file, checksums]
            return [file]
        checksums = _checksums(store)
        setting = Finding("setting", True, "as it was when the run began")
        return [file, setting, checksums, *_contents(store, checksums.right)]


def _file(store: Store) -> Finding:
    with explained(store.directory):
        problems = [text for (text,) in store.connection.execute("PRAGMA integrity_check(3)")]
    if problems == ["ok"]:
        return Finding("file", True, f"{FILE_NAME} is whole")
    words = "; ".join(map(one_line, problems))
    return Finding("file", False, f"{FILE_NAME} is damaged ({words}); restore it, or run anew")


def _checksums(store: Store) -> Finding:
    """Whether every network's outcomes are those that were written."""
    if not keeps_checksums(store.connection):
        return Finding(
            "checksums",
            True,
            "none, since the store was written before they were kept; 'harness run' with the same settings adds them",
        )
    damaged = store.damaged_units()
    if damaged:
        words = f"the outcomes of {in_words(damaged)} are not as they were written"
        return Finding("checksums", False, f"{words}; 'harness run' with the same settings computes them again")
    return Finding("checksums", True, "every network's outcomes are as they were written")


def _contents(store: Store, sound: bool) -> Iterator[Finding]:
    try:
        read_batches(store.directory / BATCHES_FILE, store.setting.fingerprint)
        yield Finding("mini-batches", True, "those that the scores were made with")
    except HarnessError as error:
        yield Finding("mini-batches", False, str(error))
    if not sound:
        # What damaged outcomes say means nothing.
        return
    scored = store.outcomes.architectures()
    try:
        strangers = scored.difference(load_benchmark(store.setting.benchmark).architectures())
    except HarnessError as error:
        yield Finding("architectures", False, f"they cannot be checked: {error}")
    else:
        words = f"{len(scored):,}, all of {store.setting.benchmark}"
        if strangers:
            words = (
                f"{len(strangers):,} of {len(scored):,} are none of {store.setting.benchmark}, one '{min(strangers)}'"
            )
        yield Finding("architectures", not strangers, words)
    counts = store.outcomes.by_status()
    words = ", ".join(f"{number:,} {status.replace('_', '-')}" for status, number in counts.items())
    yield Finding("outcomes", "failed" not in counts, words or "none yet")


@accepts(directory=path, file=path)
def export(directory: Path | str, file: Path | str, *, leave_out_damaged: bool = False) -> int:
    """Write the scores of a run as one plain table, with the manifest as JSON beside it; returns the number of rows.

    The manifest holds checksums of the table and of itself.

    Args:
        directory: the run's.
        file: ends in ``.csv``, ``.csv.gz`` or ``.parquet``; the manifest goes to the same name with ``.json`` added.
        leave_out_damaged: whether networks whose outcomes were damaged are left out; the manifest names them.

    Raises:
        HarnessError: if the file has another ending, there is no run, or it is damaged.
    """
    target = Path(file)
    if not target.name.endswith(EXPORTS):
        raise HarnessError(f"'{target.name}' says no format; let it end in {', '.join(EXPORTS)}")
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
    """Rewrite the file of a run without the space that nothing uses; returns its bytes before and after.

    Raises:
        StoreError: if there is no run, or it is being written to.
    """
    place = Path(directory)
    with Store.read(place) as model:
        pass
    # By now the model is closed, since over a network the writer must at times have the file for itself.
    with Store.create_or_open_like(place, model) as store:
        before = _bytes(place)
        with explained(place):
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            store.connection.execute("VACUUM")
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, _bytes(place)


def _bytes(directory: Path) -> int:
    """Of the database with what waits to be moved into it."""
    return sum(path.stat().st_size for path in directory.glob(f"{FILE_NAME}*") if not path.name.endswith("-shm"))
