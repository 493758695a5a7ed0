"""Reading NATS-Bench's archives with the ``nats_bench`` package, and tables indexed by the archive's index.

An archive such as ``NATS-tss-v1_0-3ffb9-simple`` is a folder with one bzip2-compressed pickle per architecture and a
``meta.pickle.pbz2`` with their order (Dong et al., "NATS-Bench", TPAMI 2021). Its pickles contain only plain data, are
read as such, and passed to ``nats_bench``, which averages over seeds.
"""

from __future__ import annotations

import bz2
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.plain_pickle import load_plain
from harness.data.columns import check_agreement, column_key
from harness.data.sources import FileShare
from harness.data.table_files import read_frame
from harness.errors import DataError
from harness_benchmarks.nb201.topology import enumerate_architectures

if TYPE_CHECKING:
    import pandas as pd

META_FILE = "meta.pickle.pbz2"
_RECORD_FILE = re.compile(r"(\d{6})\.pickle\.pbz2")

Entry = tuple[str, str, str]
"""Location of an accuracy in an archive: data set, hyper-parameters (the epochs), and key of the result."""


def archive_entries(truths: Iterable[tuple[str, int]]) -> dict[str, Entry]:
    """The location of each column ``dataset/split/epochs`` in an archive.

    ``cifar10`` networks are trained on all 50,000 images and have no validation accuracy; that of ``cifar10-valid``
    belongs to other networks, trained on 25,000.

    >>> archive_entries([("x-valid", 1)])["cifar10/x-valid/1"]
    ('cifar10-valid', '01', 'valid-accuracy')
    """
    return {
        f"{dataset}/{split}/{epochs}": (
            "cifar10-valid" if dataset == "cifar10" and split != "test" else dataset,
            f"{epochs:02d}",
            "test-accuracy" if split == "test" else "valid-accuracy",
        )
        for split, epochs in truths
        for dataset in ("cifar10", "cifar100", "ImageNet16-120")
    }


@dataclass(frozen=True)
class Archive:
    """One of NATS-Bench's archives.

    Attributes:
        name: its name with version and checksum.
        space: the search space in words.
        architectures: every architecture of the space, in any order.
        order_sha256: SHA-256 of the architectures in the archive's order, one per line.
        api: the class of ``nats_bench`` that reads its records.
        entries: the location of each column of the ground truth.
    """

    name: str
    space: str
    architectures: Callable[[], Sequence[str]]
    order_sha256: str
    api: str
    entries: Mapping[str, Entry]


TOPOLOGY = Archive(
    name="NATS-tss-v1_0-3ffb9",
    space="NATS-Bench's topology space",
    architectures=enumerate_architectures,
    order_sha256="83abc799e45cf34e9d2163654668ab998b9a54d01c39e72ca1f71f2cdf356d84",
    api="NATStopology",
    entries=archive_entries([("test", 200), ("x-valid", 200), ("test", 12), ("val", 12)]),
)


def archive_share(benchmark: str, archive: Archive) -> FileShare:
    """Where to get an archive's folder, and how a benchmark imports it."""
    folder = f"{archive.name}-simple"
    return FileShare(
        f"the official archive of {archive.space}",
        "https://github.com/D-X-Y/NATS-Bench#preparation-and-download (step 2, Google Drive)",
        f"{folder}.tar",
        (f"tar xf {folder}.tar", f"harness data import {benchmark} {folder}"),
    )


@dataclass(frozen=True)
class ArchiveReader:
    """Reads the folder of an archive, such as ``NATS-tss-v1_0-3ffb9-simple``, or a part of its records."""

    archive: Archive = TOPOLOGY

    def accepts(self, source: Path) -> bool:
        """Whether it is a folder with records, by their file names."""
        return source.is_dir() and any(_RECORD_FILE.fullmatch(path.name) for path in source.iterdir())

    def describe(self, source: Path) -> str:
        """The folder's name."""
        return f"the archive {source.name}"

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """Accuracies in percent, averaged over seeds, indexed by architecture.

        Raises:
            DataError: if a file is missing or damaged, belongs to another benchmark, or contains more than plain data.
        """
        import nats_bench
        import pandas as pd

        order = read_order(source / META_FILE, trust_pickle, self.archive)
        make_api = getattr(nats_bench, self.archive.api)
        api = make_api({"meta_archs": order, "arch2infos": {}, "evaluated_indexes": []}, verbose=False)
        rows: dict[str, dict[str, float]] = {}
        for path in sorted(source.iterdir()):
            match = _RECORD_FILE.fullmatch(path.name)
            if match:
                architecture = _architecture_at(order, int(match[1]), path.name)
                rows[architecture] = _read_record(api, path, trust_pickle, self.archive)
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.archive.entries))


def _read_record(api: Any, path: Path, trust_pickle: bool, archive: Archive) -> dict[str, float]:
    """The columns of one record; ``nats_bench`` gets one record at a time, to save memory."""
    from nats_bench import ArchResults

    index = int(path.name.partition(".")[0])
    content = _load(path, trust_pickle)
    try:
        results = {epochs: ArchResults.create_from_state_dict(state) for epochs, state in content.items()}
        stated = {result.arch_str for result in results.values()}
        api.arch2infos_dict[index] = results
        api.evaluated_indexes.add(index)
        answers = {
            (dataset, epochs): api.get_more_info(index, dataset, hp=epochs, is_random=False)
            for dataset, epochs, _ in archive.entries.values()
        }
        row = {column: float(answers[entry[:2]][entry[2]]) for column, entry in archive.entries.items()}
    except Exception as error:
        # nats_bench uses assertions and unchecked look-ups, so other kinds of records can fail in any way.
        raise DataError(f"{path.name} is not a record of {archive.space} ({type(error).__name__}: {error})") from None
    finally:
        api.arch2infos_dict.pop(index, None)
    if stated != {api.meta_archs[index]}:
        raise DataError(
            f"{path.name} is of '{', '.join(sorted(stated))}', but {META_FILE} says '{api.meta_archs[index]}'"
        )
    return row


class IndexedTablesReader:
    """Reads a folder of tables ``<dataset>/accuracies.csv``, indexed as the topology archive, with its meta file.

    Each table has the columns ``index`` and ``accuracy``: the test accuracy after 200 epochs, mean over seeds, as the
    repository NiccoloCavagnero/FreeREA publishes it.
    """

    def accepts(self, source: Path) -> bool:
        """Whether it is a folder with such a table."""
        return source.is_dir() and any(source.glob("*/accuracies.csv"))

    def describe(self, source: Path) -> str:
        """The tables' names."""
        return "tables " + ", ".join(
            f"{path.parent.name}/{path.name}" for path in sorted(source.glob("*/accuracies.csv"))
        )

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """Test accuracies in percent, indexed by architecture.

        Raises:
            DataError: if the meta file is missing, or a table is damaged or of another layout.
        """
        import pandas as pd

        order = read_order(source / META_FILE, trust_pickle)
        columns: dict[str, pd.Series[float]] = {}
        for path in sorted(source.glob("*/accuracies.csv")):
            name = f"{path.parent.name}/{path.name}"
            table = read_frame(path, name)
            if not {"index", "accuracy"} <= set(table.columns) or table["index"].dtype.kind != "i":
                raise DataError(f"{name} has no columns 'index' (integers) and 'accuracy'")
            architectures = [_architecture_at(order, int(index), name) for index in table["index"]]
            _check_single(table, architectures, name)
            accuracy = pd.Series(table["accuracy"].to_numpy(), index=architectures)
            repeated = accuracy.index[accuracy.index.duplicated()]
            if len(repeated):
                raise DataError(f"{name}: '{repeated[0]}' occurs more than once")
            columns[f"{path.parent.name}/test/200"] = accuracy
        return pd.DataFrame(columns)


def _check_single(table: pd.DataFrame, architectures: Sequence[str], name: str) -> None:
    """Check that a column of architectures matches the index, and that there is one column of accuracies."""
    for column in table.columns:
        if column_key(column) in ("arch", "architecture"):
            rows = [row for row, stated in enumerate(table[column]) if stated != architectures[row]]
            if rows:
                raise DataError(
                    f"{name}: the columns 'index' and '{column}' disagree: in row {rows[0] + 1:,} they are "
                    f"{table['index'][rows[0]]}, which is '{architectures[rows[0]]}', and '{table[column][rows[0]]}' "
                    f"({len(rows):,} such rows)"
                )
        elif column != "accuracy" and "acc" in column_key(column):
            names = list(table.columns)
            places = names.index("accuracy"), names.index(column)
            check_agreement(table, places[0], places[1], name, "two columns hold accuracies and")


def read_order(meta_file: Path, trust_pickle: bool = False, archive: Archive = TOPOLOGY) -> list[str]:
    """The architectures in the order of an archive's index, from its ``meta.pickle.pbz2``.

    Raises:
        DataError: if the file is missing or damaged, or its order differs from the published one.
    """
    if not meta_file.is_file():
        raise DataError(
            f"the folder '{meta_file.parent.name}' has no {META_FILE}, which lists the architectures of the records"
        )
    content = _load(meta_file, trust_pickle)
    order = content.get("meta_archs") if isinstance(content, dict) else None
    expected = archive.architectures()
    if not isinstance(order, list) or set(map(str, order)) != set(expected):
        raise DataError(f"{META_FILE} does not list the {len(expected):,} architectures of {archive.space}")
    if hashlib.sha256("\n".join(order).encode()).hexdigest() != archive.order_sha256:
        raise DataError(f"{META_FILE} lists the architectures in another order than {archive.name}")
    return order


def _architecture_at(order: list[str], index: int, name: str) -> str:
    if not 0 <= index < len(order):
        raise DataError(f"{name}: there is no architecture {index}; the index runs from 0 to {len(order) - 1:,}")
    return order[index]


def _load(path: Path, trust_pickle: bool) -> Any:
    if not trust_pickle:
        with bz2.open(path) as file:
            return load_plain(file, path.name, remedy="--trust-pickle loads it anyway, and runs any code in it")
    from nats_bench import pickle_load

    try:
        return pickle_load(str(path))
    except Exception as error:
        # A damaged pickle can fail in any way.
        raise DataError(f"{path.name} is damaged ({type(error).__name__}: {error})") from None
