"""What both benchmarks have in common: data sets, accuracies from the local table, sizes by formula."""

from __future__ import annotations

import functools
import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.search_space import SearchSpace
from harness.data import Contrast, Listing, TableFormat, Truth
from harness.data.local_tables import read_metadata, read_table, table_ground_truth, table_path
from harness.data.sources import Download, Files, Sources
from harness.errors import DataError, HarnessError
from harness.tasks import Task
from harness_benchmarks.vit_bench_101 import autoformer, pit
from harness_benchmarks.vit_bench_101.records import RecordsReader
from harness_benchmarks.vit_bench_101.sizes import Sizes, sizes
from harness_benchmarks.vit_bench_101.truths import BASE, KD, MEANINGS, TASKS, Way

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

_REPOSITORY = "https://raw.githubusercontent.com/lilujunai/Auto-Prox-AAAI24/90ed458eff6948a6f0d23e440a8d21bbec50d091"


def published(*files: tuple[str, str, int]) -> Sources:
    """The published files at a pinned commit, from the name, SHA-256 and size of each."""
    downloads = (
        Download(f"{_REPOSITORY}/gt_results/{name}", name, f"sha256:{sha256}", size) for name, sha256, size in files
    )
    return Sources(Files("the published accuracies", tuple(downloads)))


class VitBench(SearchSpace, Benchmark):
    """One family of ViT-Bench-101; its networks and its ground truth are read from the local table.

    Attributes:
        files: the published files.
        reader: of these files.
        size: number of trained networks.
        architectures_sha256: SHA-256 of all their architectures, sorted, one per line.
        dialect: how the published files write architectures.
        contrast: architectures that show the direction of every column.
        partial: the ways of training that some networks lack.
    """

    citation = "wei2024autoprox"
    truths = (KD, BASE)
    quantities: ClassVar[Mapping[str, str]] = {
        "params": "number of parameters",
        "flops": "multiply-accumulates of one image",
        "layers": "transformer layers",
    }
    files: ClassVar[Sources]
    reader: ClassVar[RecordsReader]
    size: ClassVar[int]
    architectures_sha256: ClassVar[str]
    dialect: ClassVar[Dialect]
    contrast: ClassVar[Contrast | None] = None
    partial: ClassVar[tuple[Way, ...]] = ()

    @abstractmethod
    def parsed(self, architecture: str) -> autoformer.AutoFormer | pit.Pit:
        """The architecture of a text; raises HarnessError for anything else."""

    @property
    def obtain(self) -> str:
        """A short description of the file to import, and where to get it."""
        names = " and ".join(download.filename for files in self.files.files() for download in files.downloads)
        return (
            f"FILE is {'a folder with ' if len(names.split()) > 1 else ''}{names}, the same records in JSON, or a "
            f"table of accuracies; 'harness data get {self.name}' downloads them; see docs/data.md"
        )

    def architectures(self) -> Sequence[str]:
        """The networks of the local table, sorted.

        Raises:
            DataError: if no table was imported.
        """
        path = table_path(self.name)
        return _read_networks(self.name, self.obtain, str(path), path.stat().st_mtime_ns if path.exists() else 0)

    def task(self, dataset: str) -> Task:
        """Images of 3×224×224; 100 classes of CIFAR-100, 102 of flowers, 4 of Chaoyang, 1,000 of ImageNet."""
        self.check_dataset(dataset)
        return TASKS[dataset]

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of any architecture of the space; see :mod:`harness_benchmarks.vit_bench_101.networks`.

        Raises:
            HarnessError: if it is not an architecture.
        """
        from harness_benchmarks.vit_bench_101.networks import build_network

        return build_network(self.parsed(architecture), self.task(dataset).classes)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Accuracies from the local table: of distilled networks, unless others are asked for.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        way = self.choose_truth(dataset, split, epochs)
        meaning = MEANINGS[way[0], int(way[1])]
        return table_ground_truth(
            self.name,
            dataset,
            *way,
            seeds=meaning.seeds,
            obtain=self.obtain,
            metric=meaning.metric,
            partial=way in self.partial,
        )

    def dialects(self) -> Sequence[Dialect]:
        """The dictionaries of the published files."""
        return (self.dialect,)

    def sizes(self, architecture: str, dataset: str) -> Sizes:
        """All sizes of a network, without building it.

        Raises:
            HarnessError: if it is not an architecture.
        """
        return sizes(self.parsed(architecture), self.task(dataset).classes)

    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities`, by a formula.

        Raises:
            UnknownNameError: if there is no such quantity.
            HarnessError: if it is not an architecture.
        """
        self.check_quantity(name)
        if name == "layers":
            return float(self.features(architecture)["layers"])
        found = self.sizes(architecture, dataset)
        return float(found.params if name == "params" else found.macs)

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it."""
        return self.sizes(architecture, dataset).params

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters, int64, (len(architectures),); see :mod:`.sizes`."""
        return np.array([self.sizes(each, dataset).params for each in architectures], dtype=np.int64)

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's multiply-accumulates for one image, int64, (len(architectures),); see :mod:`.sizes`."""
        return np.array([self.sizes(each, dataset).macs for each in architectures], dtype=np.int64)

    def sources(self) -> Sources:
        """The published files, at a pinned commit."""
        return self.files

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import``."""
        return TableFormat(
            architectures=self.architectures,
            truths={
                f"{dataset}/{split}/{epochs}": Truth(
                    f"{MEANINGS[split, int(epochs)].metric} on {dataset} after {epochs} epochs",
                    chance=100 / TASKS[dataset].classes,
                    partial=(split, epochs) in self.partial,
                )
                for dataset in self.datasets
                for split, epochs in self.truths_of(dataset)
            },
            essential=tuple(
                f"{dataset}/{split}/{epochs}"
                for dataset in self.datasets
                for split, epochs in self.truths_of(dataset)
                if (split, epochs) not in self.partial
            ),
            seeds=MEANINGS[KD].seeds,
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=self.obtain,
            readers=(self.reader,),
            contrast=self.contrast,
            dialects=self.dialects(),
            listing=Listing(
                size=self.size,
                columns={},
                describe=self._described,
                parameters=lambda described, dataset: self.parameter_counts(list(described.index), dataset),
            ),
        )

    def _described(self, frame: pd.DataFrame, name: str) -> pd.DataFrame:
        """The table without its columns, if its architectures are those of this benchmark."""
        for architecture in frame.index:
            try:
                self.parsed(str(architecture))
            except HarnessError as error:
                raise DataError(f"{name}: {error} (in '{architecture}')") from None
        if frame.index.is_unique and len(frame) == self.size:
            found = hashlib.sha256("\n".join(sorted(frame.index)).encode()).hexdigest()
            if found != self.architectures_sha256:
                raise DataError(f"{name} has {self.size} networks of {self.name}, but other ones than were published")
        return frame[[]]

    def with_values(self, columns: Sequence[str]) -> Callable[[str], bool]:
        """A predicate: whether the local table has a value of a network in any of these columns.

        Raises:
            DataError: if no table was imported.
        """
        stored = read_metadata(self.name, self.obtain).columns
        table = read_table(self.name, [column for column in columns if column in stored], self.obtain)
        members = set(table.index[table.notna().any(axis=1)])
        return members.__contains__


@functools.lru_cache(maxsize=4)
def _read_networks(name: str, obtain: str, path: str, modified: int) -> list[str]:
    """The architectures of a local table; read again if the table changes."""
    networks: list[str] = read_table(name, [], obtain).index.to_list()
    return networks
