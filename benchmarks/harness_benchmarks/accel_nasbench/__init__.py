"""Accel-NASBench: 5,125 EfficientNet-like networks on ImageNet, after a shortened training, with six accelerators.

Ahmad et al., "Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS", DAC 2024 (arXiv:2404.08005). The
networks are implemented in this project; the facts about them come from the official code (afzalxo/Accel-NASBench at
commit 4260357 and afzalxo/ANB-DatasetCollection at commit 08a6baa). The ground truth is not included; users import it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.contracts.search_space import Block, PlaceSpace
from harness.data import Contrast, Listing, TableFormat, Truth
from harness.data.local_tables import read_metadata, read_table, table_ground_truth, table_path
from harness.data.sources import Download, Files, Sources
from harness.errors import DataError
from harness.tasks import Task
from harness_benchmarks.accel_nasbench.architecture import (
    DIALECTS,
    EXPANSIONS,
    KERNELS,
    LAYERS,
    STAGES,
    STRIDES,
    WIDTHS,
    Stage,
    parse,
    written,
)
from harness_benchmarks.accel_nasbench.costs import COSTS, MEASURED, costs_of
from harness_benchmarks.accel_nasbench.sizes import HEAD, STEM, sizes
from harness_benchmarks.accel_nasbench.sources import (
    CLASSES,
    NETWORKS,
    SIDE,
    TOP1,
    TOP5,
    ArchiveReader,
    FieldsReader,
    describe_networks,
    parameter_counts,
)

if TYPE_CHECKING:
    from torch import nn

__all__ = ["AccelNasBench"]

_NAME = "accel-nasbench"
_FILE = "anb_dataset_jsons.tar.gz"
_OBTAIN = (
    f"FILE is {_FILE}, or a CSV or Parquet table of its accuracies; 'harness data get {_NAME}' downloads it; "
    "see docs/data.md"
)
_SOURCES = Sources(
    Files(
        "the published data",
        (
            Download(
                "https://raw.githubusercontent.com/afzalxo/Accel-NASBench/42603572d530310e6bac7191d00cf45625a6b197/"
                f"anb_dataset/{_FILE}",
                _FILE,
                "sha256:3520992d42e368b7c08c99fc3f6612855b5b366bf98668a7f19d49f3131aa4ae",
                1_173_570,
            ),
        ),
    )
)

EPOCHS = 16
"""The length of the training. It is one of several ways in which it was shortened."""

_SHORTENED = "after a shortened training"
_SEEDS = "one training (13 networks: mean of two)"
_METRICS = {"val": f"top-1 accuracy (%) {_SHORTENED}", "val-top5": f"top-5 accuracy (%) {_SHORTENED}"}
_SMALL, _LARGE = 2_500_000, 5_500_000
_SIZE_TELLS = Contrast(
    worse=lambda table: parameter_counts(list(table.index)) < _SMALL,
    better=lambda table: parameter_counts(list(table.index)) > _LARGE,
    words=("networks of less than 2.5 million parameters", "of more than 5.5 million"),
)
_CHOICES = tuple(tuple(map(str, choices)) for layers in LAYERS for choices in (EXPANSIONS, KERNELS, layers, (0, 1)))
"""What each field of each stage may be: expansion, kernel, number of layers, SE."""


class AccelNasBench(PlaceSpace, Benchmark):
    """Accel-NASBench; networks and ground truth are read from the local table.

    The accuracies are those of a training that was shortened on purpose, to 16 epochs with images of 160 × 160 and, at
    the end, 192 × 192 pixels; a full training reaches about ten points more. ``build`` accepts every architecture of
    the space, trained or not.
    """

    name = _NAME
    aliases = ("accel-nas-bench", "anb")
    title = "Accel-NASBench: EfficientNet-like networks on ImageNet, after a shortened training"
    citation = "ahmad2024accel"
    datasets = ("imagenet-1k",)
    truths = tuple((split, EPOCHS) for split in _METRICS)
    subsets = {  # noqa: RUF012
        "all": "every network that was trained; drawn at random from the space, and no two are the same network"
    }
    length = len(_CHOICES)
    quantities = {  # noqa: RUF012
        "params": "number of parameters",
        "flops": "multiply-accumulates of one image",
        "stored_flops": "operations of one image as the published data count them",
        "layers": "inverted bottlenecks",
    }

    def architectures(self) -> Sequence[str]:
        """The networks of the local table, sorted.

        Raises:
            DataError: if no table was imported.
        """
        return _local_networks()

    def task(self, dataset: str) -> Task:
        """Images of 3×224×224 in 1,000 classes, at which the published sizes are counted."""
        self.check_dataset(dataset)
        return Task(dataset, (3, SIDE, SIDE), CLASSES)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of any architecture of the space; it takes images of any size from 32 × 32 pixels.

        Raises:
            HarnessError: if it is not an architecture.
        """
        from harness_benchmarks.accel_nasbench.network import AccelNetwork

        return AccelNetwork(parse(architecture), self.task(dataset).classes)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Accuracy on the validation images after the shortened training, from the local table.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        return table_ground_truth(
            self.name, dataset, split, epochs, seeds=_SEEDS, obtain=_OBTAIN, metric=_METRICS[split]
        )

    def costs(self, dataset: str) -> Costs:
        """Latencies, and times per image of the throughputs, on six accelerators, from the local table.

        Raises:
            DataError: if no table was imported, or it has none.
        """
        self.check_dataset(dataset)
        metadata = read_metadata(self.name, _OBTAIN)
        columns = [column for column in MEASURED if column in metadata.columns]
        if not columns:
            raise DataError(
                f"the table of {self.name} has no latencies and throughputs; import a file that has them: "
                f"harness data import {self.name} FILE ({_OBTAIN})"
            )
        values = costs_of(read_table(self.name, columns).astype("float64"))
        return Costs(metadata.source, {name: COSTS[name] for name in values.columns}, values)

    def dialects(self) -> Sequence[Dialect]:
        """28 columns, the fields of the published records, and the four lists of the official interface."""
        return DIALECTS

    def features(self, architecture: str) -> Mapping[str, float]:
        """Numbers of layers, and means over them."""
        stages = parse(architecture)
        layers = sum(stage.layers for stage in stages)
        return {
            "layers": layers,
            "layers at 14×14 and below": sum(stage.layers for stage in stages[3:]),
            "mean expansion": sum(stage.layers * stage.expansion for stage in stages) / layers,
            "mean kernel": sum(stage.layers * stage.kernel for stage in stages) / layers,
            "layers with SE": sum(stage.layers * stage.excites for stage in stages),
            "expansion of the last stage": stages[-1].expansion,
        }

    def choices_at(self, place: int) -> Sequence[str]:
        """Expansions, kernels, numbers of layers or SE (0 or 1), in turn for each stage."""
        return _CHOICES[place]

    def places(self, architecture: str) -> tuple[str, ...]:
        """Expansion, kernel, number of layers and SE (0 or 1) of each stage."""
        return tuple(str(int(value)) for stage in parse(architecture) for value in stage)

    def of_places(self, places: Sequence[str]) -> str:
        """The architecture."""
        numbers = list(map(int, places))
        fields = (numbers[4 * stage : 4 * stage + 4] for stage in range(STAGES))
        return written([Stage(e, k, layers, bool(se)) for e, k, layers, se in fields])

    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities`, by a formula; see :mod:`.sizes`.

        Raises:
            UnknownNameError: if there is no such quantity.
            HarnessError: if it is not an architecture.
        """
        self.check_quantity(name)
        self.check_dataset(dataset)
        if name == "layers":
            return float(sum(stage.layers for stage in parse(architecture)))
        return float(getattr(sizes(architecture, SIDE, CLASSES), _FIELDS[name]))

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The stem, the seven stages and the last convolution."""
        stages = [
            Block(f"E{stage.expansion}K{stage.kernel}{' SE' if stage.excites else ''}", width, stage.layers, stride)
            for stage, width, stride in zip(parse(architecture), WIDTHS, STRIDES, strict=True)
        ]
        return [Block("conv3", STEM, 1, 2), *stages, Block("conv1", HEAD, 1)]

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it."""
        return int(self.parameter_counts([architecture], dataset)[0])

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters, int64, (len(architectures),); see :mod:`.sizes`."""
        self.check_dataset(dataset)
        return parameter_counts(architectures)

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's multiply-accumulates for one image, int64, (len(architectures),); see :mod:`.sizes`."""
        self.check_dataset(dataset)
        return np.array([sizes(each, SIDE, CLASSES).macs for each in architectures], dtype=np.int64)

    def sources(self) -> Sources:
        """The published archive, at a pinned commit."""
        return _SOURCES

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import accel-nasbench FILE``."""
        return TableFormat(
            architectures=self.architectures,
            truths={
                TOP1: Truth(f"top-1 accuracy (%) on the validation images {_SHORTENED}", chance=100 / CLASSES),
                TOP5: Truth(f"top-5 accuracy (%) on the validation images {_SHORTENED}", chance=500 / CLASSES),
            },
            essential=(TOP1,),
            seeds=_SEEDS,
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=_OBTAIN,
            readers=(ArchiveReader(), FieldsReader()),
            contrast=_SIZE_TELLS,
            dialects=self.dialects(),
            listing=Listing(
                size=NETWORKS,
                columns={column: measured.meaning for column, measured in MEASURED.items()},
                describe=describe_networks,
                parameters=lambda described, dataset: parameter_counts(list(described.index)),
            ),
        )


_FIELDS = {"params": "params", "flops": "macs", "stored_flops": "stored"}


def _local_networks() -> list[str]:
    """The architectures of the local table; read again if the table changes."""
    path = table_path(_NAME)
    return _read_networks(str(path), path.stat().st_mtime_ns if path.exists() else 0)


@functools.lru_cache(maxsize=1)
def _read_networks(path: str, modified: int) -> list[str]:
    networks: list[str] = read_table(_NAME, [], _OBTAIN).index.to_list()
    return networks
