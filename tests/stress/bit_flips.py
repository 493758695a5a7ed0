"""Single bits flipped at random in every kind of file that is read back: none may change a value silently.

    python tests/stress/bit_flips.py --seed 0 --flips 1000

For each flip the file is read as commands read it. Either everything that is read is what it was before the flip
("no effect"), or the damage is told in one line ("named"). A value that differs without a word is "silent"; an error
that is no :class:`~harness.errors.HarnessError`, or has several lines, is a "traceback". Flip f of seed s is the same
again for the same files.
"""

from __future__ import annotations

import argparse
import bz2
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import harness
from harness._utils.plain_pickle import load_plain
from harness.data import local_tables as tables
from harness.errors import HarnessError
from harness.gate.baseline_files import read_baseline
from harness.images.batches import read_batches
from harness.store import Store
from harness.store.maintenance import export, verify
from harness.store.restore import restore
from harness.store.sqlite import FILE_NAME

OUTCOMES = ("no effect", "named", "silent", "traceback")


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: what it is called in the table.
        files: its files, any of which is hit.
        read: reads all that is read of them, as one comparable text.
        look: a second look, which may name what reading does not; it may raise too.
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[], str]
    look: Callable[[], str | None] = lambda: None


def _text(table: pd.DataFrame) -> str:
    """A table with every bit of its numbers."""
    exact = {
        name: [value.hex() if isinstance(value, float) else repr(value) for value in table[name].tolist()]
        for name in table
    }
    return repr((table.index.tolist(), exact))


def store_kind(run: Path) -> Kind:
    """The store of a run."""

    def read() -> str:
        with Store.read(run) as store:
            return _text(store.scores()) + repr(sorted(store.manifest().items()))

    def look() -> None:
        wrong = [finding.line() for finding in verify(run) if not finding.right]
        if wrong:
            raise HarnessError(wrong[0])

    return Kind("store", (run / FILE_NAME,), read, look)


def batches_kind(run: Path) -> Kind:
    """The mini-batches of a run."""
    with Store.read(run) as store:
        fingerprint = store.setting.fingerprint

    def read() -> str:
        batches = read_batches(run / "batches.npz", fingerprint)
        return repr([(batch.images.numpy().tobytes(), batch.labels.tolist()) for batch in batches])

    return Kind("mini-batches", (run / "batches.npz",), read)


def table_kind(home: Path) -> Kind:
    """A local table of ground truth."""
    os.environ["HARNESS_DATA"] = str(home)
    frame = pd.DataFrame(
        {
            "cifar10/test/200": pd.Series([80 + i / 7 for i in range(300)], dtype="float32"),
            "cifar10/params": range(1000, 1300),
            "cifar10/kind": [f"cell {i % 7}" for i in range(300)],
        }
    ).set_axis([f"arch-{i:03}" for i in range(300)])
    columns = {name: f"what {name} is" for name in frame}
    path = tables.write_table(frame, tables.TableMetadata("toy", "a source", "0" * 64, "mean over 3 seeds", columns))

    def read() -> str:
        os.environ["HARNESS_DATA"] = str(home)
        parts = [tables.read_table("toy", [name]) for name in columns]
        metadata, rows = tables.read_metadata("toy"), tables.row_count("toy")
        return "".join(map(_text, parts)) + repr((metadata, rows))

    return Kind("table", (path,), read)


def embedded_kind(folder: Path) -> Kind:
    """The table of the embedded benchmark."""
    from harness_benchmarks.digits.table import ACCURACIES, FOLDER, read_accuracies

    folder.mkdir()
    file = shutil.copy(FOLDER / ACCURACIES, folder)
    return Kind("embedded table", (Path(file),), lambda: _text(read_accuracies(folder)))


def pickle_kind(folder: Path) -> Kind:
    """A record of a NATS-Bench archive: a pickle in bzip2."""
    folder.mkdir()
    file = folder / "000000.pickle.pbz2"
    content = {"meta": [i / 3 for i in range(500)], "name": "a" * 50}
    file.write_bytes(bz2.compress(pickle.dumps(content)))

    def read() -> str:
        with bz2.open(file) as opened:
            return repr(load_plain(opened, file.name))

    return Kind("archive record", (file,), read)


def baseline_kind(folder: Path, run: Path) -> Kind:
    """A frozen baseline."""
    from harness.gate.baseline import freeze
    from harness.gate.baseline_files import write_baseline
    from harness.results import open_run

    files = write_baseline(freeze(open_run(run)), folder)

    def read() -> str:
        baseline = read_baseline(folder)
        rest = (baseline.setting, baseline.truth, baseline.proxies, baseline.coefficients, baseline.facts)
        return repr(rest) + _text(baseline.scores)

    return Kind("baseline", tuple(files), read)


def exported_kind(folder: Path, run: Path, ending: str) -> Kind:
    """Exported scores with their manifest."""
    file = folder / f"scores{ending}"
    export(run, file)
    again = folder / "again"

    def read() -> str:
        shutil.rmtree(again, ignore_errors=True)
        restore(file, again)
        with Store.read(again) as store:
            return _text(store.scores()) + repr(sorted(store.manifest().items()))

    return Kind(f"exported {ending}", (file, file.with_name(f"{file.name}.json")), read)


def report_kind(folder: Path, run: Path) -> Kind:
    """The scores and the manifest of a report."""
    harness.report(run).write(folder, figures=False)
    again = folder / "again"

    def read() -> str:
        shutil.rmtree(again, ignore_errors=True)
        restore(folder, again)
        with Store.read(again) as store:
            return _text(store.scores()) + repr(sorted(store.manifest().items()))

    return Kind("report's scores", (folder / "scores.csv.gz", folder / "manifest.json"), read)


def all_kinds(folder: Path) -> list[Kind]:
    """Every kind, made in a folder from a small run."""
    run = folder / "run"
    harness.run("digits", sample=12, batch_size=4, proxies="params,flops,snip,l2_norm", out=run)
    return [
        store_kind(run),
        batches_kind(run),
        table_kind(folder / "tables"),
        baseline_kind(folder / "baseline", run),
        *(exported_kind(folder / f"exported{ending}", run, ending) for ending in (".csv", ".csv.gz", ".parquet")),
        report_kind(folder / "report", run),
        embedded_kind(folder / "embedded"),
        pickle_kind(folder / "archive"),
    ]


@contextmanager
def flipped(path: Path, position: int, bit: int) -> Iterator[None]:
    """The file with one bit flipped, as it was afterwards; what reading left beside it is removed."""
    content = path.read_bytes()
    beside = set(path.parent.iterdir())
    changed = bytearray(content)
    changed[position] ^= 1 << bit
    path.write_bytes(changed)
    try:
        yield
    finally:
        path.write_bytes(content)
        for file in set(path.parent.iterdir()) - beside:
            shutil.rmtree(file) if file.is_dir() else file.unlink()


def outcome(kind: Kind, before: str) -> tuple[str, str]:
    """What became of a flip, and the line that names it."""
    named = found = ""
    for look in (kind.look, kind.read):
        try:
            found = look() or ""
        except HarnessError as error:
            if not str(error).isprintable():
                return "traceback", repr(error)
            named, found = str(error), before
        except Exception as error:
            return "traceback", repr(error)
    # A value that was read differs, whether or not a second look would have told.
    if found != before:
        return "silent", "a value differs"
    return ("named", named) if named else ("no effect", "")


def flip_bits(
    kinds: list[Kind], seed: int, flips: int, say: Callable[[str], None] = print, show_named: bool = False
) -> dict[str, Counter[str]]:
    """Flip bits one at a time, as many in each kind of file; returns for each kind how many ended how."""
    counts = {}
    for number, kind in enumerate(kinds):
        draw = random.Random(f"{seed}/{kind.name}")
        before = kind.read()
        counts[kind.name] = Counter(dict.fromkeys(OUTCOMES, 0))
        for flip in range(flips // len(kinds) + (number < flips % len(kinds))):
            path = draw.choices(kind.files, [file.stat().st_size for file in kind.files])[0]
            position, bit = draw.randrange(path.stat().st_size), draw.randrange(8)
            with flipped(path, position, bit):
                end, words = outcome(kind, before)
            counts[kind.name][end] += 1
            if end in ("silent", "traceback") or (show_named and end == "named"):
                say(f"{kind.name}, flip {flip}: bit {bit} of byte {position} of {path.name}: {end}: {words}")
    return counts


def main() -> int:
    """Flip bits and print for each kind of file how many flips ended how; 1 if any was silent or a traceback."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the flips")
    parser.add_argument("--flips", type=int, default=1000, help="over all kinds of files")
    parser.add_argument("--show", action="store_true", help="print the line of each flip that is named")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        counts = flip_bits(all_kinds(Path(place)), options.seed, options.flips, show_named=options.show)
    table = pd.DataFrame(counts).T
    print(pd.concat([table, table.sum().rename("all").to_frame().T]).to_string())
    print(f"{options.flips} flips of seed {options.seed} in {time.monotonic() - begun:.0f} s")
    return int(table[["silent", "traceback"]].to_numpy().sum() > 0)


if __name__ == "__main__":
    sys.exit(main())
