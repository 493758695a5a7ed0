"""HELP's latencies of NAS-Bench-201's networks on CPUs, GPUs and phones, from the tables that users import.

Lee et al., HELP, NeurIPS 2021 (arXiv:2106.08630): measured on GPUs with mini-batches of 1, 32 and 256 images, on CPUs
and on phones (in whole milliseconds). The latencies of the Pixel 3, the Raspberry Pi 4, Eyeriss and the FPGA are those
of HW-NAS-Bench for CIFAR-10, so the others are taken to be of the same networks.
"""

from __future__ import annotations

import csv
import functools
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness._utils.plain_pickle import load_plain
from harness.data import TableFormat, Truth
from harness.data.further_tables import no_parameters
from harness.data.sources import Download, Files, Sources
from harness.errors import DataError
from harness_benchmarks.nats.archive import TOPOLOGY
from harness_benchmarks.nats.cell_tables import DIALECTS, PublishedColumnsReader
from harness_benchmarks.nats.hw_nas_bench import CONVOLUTIONS_TELL, DECIMALS, LIMITS
from harness_benchmarks.nb201 import dialects, topology

if TYPE_CHECKING:
    import pandas as pd

TABLE = "nats-tss-costs-cifar10-help"
"""The name of the local table."""

_URL = (
    "https://raw.githubusercontent.com/HayeonLee/HELP/45f70eb92d0d735970a33b608d1544ad3c52f285/data/nasbench201/latency"
)
_FOLDER = "latency"
_LARGEST_PICKLE = 1 << 22
"""Bytes; the lists of 15,625 latencies have 141,000."""


class Device(NamedTuple):
    """A device, on GPUs with the size of the mini-batch.

    Attributes:
        name: as its file is called.
        words: what its latency is, with the unit.
        size: of its file in bytes.
        sha256: of its file.
    """

    name: str
    words: str
    size: int
    sha256: str

    @property
    def column(self) -> str:
        """The column of the local table.

        >>> Device("pixel2", "", 0, "").column
        'pixel2_latency'
        """
        return f"{self.name}_latency"


@functools.cache
def devices() -> tuple[Device, ...]:
    """All 27 devices and mini-batches."""
    with Path(__file__).with_name("help_devices.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Device(row["device"], row["words"], int(row["bytes"]), row["sha256"]) for row in csv.DictReader(file)
        )


def table_format() -> TableFormat:
    """The format of the local table."""
    downloads = (
        Download(f"{_URL}/{each.name}.pt", f"{each.name}.pt", f"sha256:{each.sha256}", each.size) for each in devices()
    )
    columns = tuple(each.column for each in devices())
    return TableFormat(
        architectures=topology.enumerate_architectures,
        truths={each.column: Truth(each.words, LIMITS, DECIMALS, higher_is_better=False) for each in devices()},
        essential=columns,
        seeds="one measurement of each network",
        parameters=no_parameters,
        datasets=(),
        obtain=(
            f"FILE is HELP's folder data/nasbench201/latency, or a CSV table with columns such as '{columns[0]}'; "
            f"'harness data get {TABLE}' downloads it; see docs/search-and-budgets.md"
        ),
        readers=(LatencyFolderReader(), PublishedColumnsReader({each.name: each.column for each in devices()})),
        kind="costs",
        contrast=CONVOLUTIONS_TELL,
        order_sha256=TOPOLOGY.order_sha256,
        dialects=DIALECTS,
        sources=Sources(Files("HELP's latencies", tuple(downloads))),
    )


class LatencyFolderReader:
    """Reads the published folder: one file for each device, a list of all latencies in NATS-Bench's order.

    The files are zip archives with a pickle of numbers, which is read without running any code in it.
    """

    def accepts(self, source: Path) -> bool:
        """Whether it is a folder with such files, or the one above."""
        return source.is_dir() and bool(_files(source))

    def describe(self, source: Path) -> str:
        """The number of files."""
        found, every = len(_files(source)), len(devices())
        return (
            f"HELP's {every} files of latencies" if found == every else f"{found} of HELP's {every} files of latencies"
        )

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """The latencies, indexed by the official strings.

        Raises:
            DataError: if a file is damaged, contains something else than numbers, or has another number of them.
        """
        import pandas as pd

        order = dialects.official_order()
        columns = {device.column: _latencies(path, len(order)) for device, path in _files(source).items()}
        return pd.DataFrame(columns, index=pd.Index(order))


def _files(source: Path) -> dict[Device, Path]:
    """The file of each device that a folder, or its folder ``latency``, has."""
    for folder in (source, source / _FOLDER):
        paths = {device: folder / f"{device.name}.pt" for device in devices()}
        found = {device: path for device, path in paths.items() if path.is_file()}
        if found:
            return found
    return {}


def _latencies(path: Path, count: int) -> NDArray[np.float64]:
    try:
        with zipfile.ZipFile(path) as archive:
            (member,) = (each for each in archive.infolist() if each.filename.endswith("/data.pkl"))
            if member.file_size > _LARGEST_PICKLE:
                raise DataError(f"{path.name} has {member.file_size:,} bytes, too many for a list of latencies")
            with archive.open(member) as file:
                content: Any = load_plain(file, path.name)
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError):
        raise DataError(f"{path.name} is truncated, or not a file of latencies") from None
    if not isinstance(content, list) or not all(type(value) in (int, float) for value in content):
        raise DataError(f"{path.name} is not a list of numbers")
    if len(content) != count:
        raise DataError(
            f"{path.name} has {len(content):,} latencies; expected: {count:,}, one for each cell in NATS-Bench's order"
        )
    try:
        return np.array(content, dtype=np.float64)
    except OverflowError:
        raise DataError(f"{path.name} has a number that is not a latency") from None
