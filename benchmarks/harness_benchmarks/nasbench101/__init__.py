"""NAS-Bench-101: 423,624 cells trained on CIFAR-10, three times each.

Neither the cells nor their accuracies are part of this project: the user imports them. A cell is identified by its
official module hash, which is equal for isomorphic cells.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.search_space import NeighbourSpace
from harness.data import Contrast, Listing, TableFormat, Truth
from harness.data.local_tables import read_table, table_ground_truth, table_path
from harness.data.sources import Download, Files, Sources
from harness.errors import DataError, HarnessError
from harness.tasks import Task
from harness_benchmarks.nasbench101 import dialects
from harness_benchmarks.nasbench101.cell import Cell, cell_features, module_hash, neighbours
from harness_benchmarks.nasbench101.sources import CellTableReader, RecordFileReader
from harness_benchmarks.nasbench101.tables import (
    CELL_COLUMNS,
    CLASSES,
    REPEAT_COLUMNS,
    SECONDS_COLUMNS,
    describe_cells,
    parameter_counts,
)
from harness_benchmarks.nasbench101.trainings import EPOCHS, REPEATS

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

__all__ = ["NasBench101"]

ARCHITECTURES = 423_624

_NAME = "nasbench101"
_SPLITS = {"test": "the test images", "val": "the validation images"}
_OPERATIONS_TELL = Contrast(
    worse=lambda table: table["ops"].str.fullmatch("2+").to_numpy(dtype=bool),
    better=lambda table: table["ops"].str.fullmatch("0{3,}").to_numpy(dtype=bool),
    words=("cells of max pooling alone", "of three and more 3x3 convolutions alone"),
)
_OBTAIN = (
    "FILE is nasbench_only108.tfrecord or nasbench_full.tfrecord, or a CSV table of cells and accuracies; "
    "'harness data get nasbench101' downloads one; see docs/data.md"
)


def _record_file(what: str, name: str, sha256: str, size: int) -> Files:
    return Files(what, (Download(f"https://storage.googleapis.com/nasbench/{name}", name, f"sha256:{sha256}", size),))


# Checksums from the README of google-research/nasbench.
_SOURCES = Sources(
    _record_file(
        "the trainings of 108 epochs",
        "nasbench_only108.tfrecord",
        "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
        522_767_376,
    ),
    full=_record_file(
        "the trainings of 4, 12, 36 and 108 epochs",
        "nasbench_full.tfrecord",
        "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
        2_085_986_016,
    ),
)


class NasBench101(NeighbourSpace, Benchmark):
    """NAS-Bench-101; cells and ground truth are read from the local table."""

    name = _NAME
    aliases = ("nb101",)
    title = "NAS-Bench-101"
    citation = "ying2019nasbench101"
    datasets = ("cifar10",)
    truths = tuple((split, epochs) for epochs in EPOCHS for split in _SPLITS)
    subsets = {  # noqa: RUF012
        "all": "every architecture; by construction connected, without unreachable operations, and unique up to "
        "isomorphism"
    }

    def architectures(self) -> Sequence[str]:
        """The module hashes of all cells of the local table, sorted.

        Raises:
            DataError: if no table was imported.
        """
        return _local_cells()[0]

    def task(self, dataset: str) -> Task:
        """Images of 3×32×32 in 10 classes."""
        self.check_dataset(dataset)
        return Task("cifar10", (3, 32, 32), CLASSES)

    def cell(self, architecture: str) -> Cell:
        """The cell of a module hash.

        Raises:
            DataError: if no table was imported.
            HarnessError: if the table has no such cell.
        """
        names, columns = _local_cells()
        row = bisect_left(names, architecture)
        if row == len(names) or names[row] != architecture:
            raise HarnessError(
                f"'{architecture}' is not a cell in the local table of {self.name}; an architecture is a module hash "
                f"such as '{names[0]}'"
            )
        vertices, adjacency, operations = (column[row] for column in columns)
        return Cell(int(vertices), int(adjacency), str(operations))

    def random(self, generator: np.random.Generator) -> str:
        """A uniformly drawn cell of the local table."""
        names = self.architectures()
        return names[int(generator.integers(len(names)))]

    def neighbours(self, architecture: str) -> Sequence[str]:
        """The cells of the local table that differ in one place, sorted; see :func:`.cell.neighbours`.

        Raises:
            DataError: if no table was imported.
            HarnessError: if the table has no such cell.
        """
        names = self.architectures()
        found = {module_hash(cell) for cell in neighbours(self.cell(architecture))} - {architecture}
        return sorted(name for name in found if names[min(bisect_left(names, name), len(names) - 1)] == name)

    def dialects(self) -> Sequence[Dialect]:
        """Matrices with operations, in one column or in two, and NASLib's tuples."""
        return (dialects.IN_TWO_COLUMNS, dialects.TUPLE, dialects.TOGETHER)

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts of operations and edges, depth and paths; see :func:`.cell.cell_features`.

        Raises:
            DataError: if no table was imported.
            HarnessError: if the table has no such cell.
        """
        return cell_features(self.cell(architecture))

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of a cell, as the benchmark trained it.

        Raises:
            DataError: if no table was imported.
            HarnessError: if the table has no such cell.
        """
        from harness_benchmarks.nasbench101.network import CellNetwork

        return CellNetwork(self.cell(architecture), self.task(dataset).classes)

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it."""
        return int(self.parameter_counts([architecture], dataset)[0])

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters; see :func:`.tables.parameter_counts`."""
        import pandas as pd

        cells = [self.cell(architecture) for architecture in architectures]
        rows = [(cell.vertices, cell.adjacency, cell.operations) for cell in cells]
        return parameter_counts(pd.DataFrame(rows, columns=list(CELL_COLUMNS)), self.task(dataset).classes)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Accuracies at the end of training, mean over the three training runs, from the local table.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        return table_ground_truth(self.name, dataset, split, epochs, seeds=f"mean over {REPEATS} seeds", obtain=_OBTAIN)

    def repeats(self, split: str = "test", epochs: int | str = 108) -> pd.DataFrame:
        """The accuracy (%) of each single training run, (architectures, 3), in the order of the official file.

        Raises:
            UnknownNameError: if the benchmark has no such split and epochs.
            DataError: if no table was imported, or it contains only means.
        """
        split, epochs = self.choose_truth("cifar10", split, epochs)
        columns = [f"cifar10/{split}/{epochs}/repeat-{repeat}" for repeat in range(1, REPEATS + 1)]
        return read_table(self.name, columns, _OBTAIN)

    def trainings(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> pd.DataFrame | None:
        """The accuracies of :meth:`repeats`; None if the local table contains only means."""
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        try:
            return self.repeats(split, epochs)
        except DataError:
            return None

    def sources(self) -> Sources:
        """The official record files."""
        return _SOURCES

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import nasbench101 FILE``."""
        return TableFormat(
            architectures=self.architectures,
            truths={
                f"cifar10/{split}/{epochs}": Truth(
                    f"accuracy (%) on {_SPLITS[split]} after {epochs} epochs, mean over seeds", chance=100 / CLASSES
                )
                for split, epochs in self.truths
            },
            essential=tuple(f"cifar10/test/{epochs}" for epochs in EPOCHS),
            seeds=f"mean over the {REPEATS} trainings of each length",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=_OBTAIN,
            readers=(RecordFileReader(), CellTableReader()),
            contrast=_OPERATIONS_TELL,
            dialects=self.dialects(),
            listing=Listing(
                size=ARCHITECTURES,
                columns=CELL_COLUMNS | REPEAT_COLUMNS | SECONDS_COLUMNS,
                describe=describe_cells,
                parameters=lambda described, dataset: parameter_counts(described, self.task(dataset).classes),
            ),
        )


def _local_cells() -> tuple[list[str], tuple[Sequence[Any], ...]]:
    """The sorted hashes of the local table and the columns of the cells; read again if the table changes."""
    path = table_path(_NAME)
    return _read_cells(str(path), path.stat().st_mtime_ns if path.exists() else 0)


@functools.lru_cache(maxsize=1)
def _read_cells(path: str, modified: int) -> tuple[list[str], tuple[Sequence[Any], ...]]:
    cells = read_table(_NAME, list(CELL_COLUMNS), _OBTAIN)
    # Lists, because looking up single cells in a data frame takes fifty times as long.
    return cells.index.to_list(), tuple(cells[column].to_list() for column in CELL_COLUMNS)
