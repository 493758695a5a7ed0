"""NATS-Bench's topology search space, which is NAS-Bench-201: 15,625 cells trained on three data sets.

The networks are this project's own: 16, 32 and 64 channels and five cells a stage (Dong & Yang, ICLR 2020, section
2.1). The accuracies are not part of it: the user imports them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.data import Contrast, TableFormat
from harness.data.device_costs import read_costs
from harness.data.sources import Download, Files, Sources
from harness_benchmarks.nats import help_latencies, hw_nas_bench, robustness
from harness_benchmarks.nats.archive import META_FILE, TOPOLOGY, ArchiveReader, IndexedTablesReader, archive_share
from harness_benchmarks.nats.common import NatsBenchmark, table_columns
from harness_benchmarks.nb201 import dialects, topology
from harness_benchmarks.nb201.benchmark import CellBenchmark

if TYPE_CHECKING:
    from torch import nn

WIDTHS = (16, 32, 64)
CELLS_PER_STAGE = 5

_SPLITS = {
    ("test", 200): "accuracy (%) on the test images after 200 epochs, mean over seeds",
    ("x-valid", 200): "accuracy (%) on the validation images after 200 epochs, mean over seeds",
    ("test", 12): "accuracy (%) on the test images after 12 epochs, mean over seeds",
    ("val", 12): "accuracy (%) on the validation images (the archive's x-valid) after 12 epochs, mean over seeds",
}

_META_URL = (
    "https://raw.githubusercontent.com/D-X-Y/NATS-Bench/1d4a304ad1906aa5866563438fcbf0d624b7eda2/"
    "fake_torch_dir/NATS-tss-v1_0-3ffb9-simple/meta.pickle.pbz2"
)
_TABLES_URL = (
    "https://raw.githubusercontent.com/NiccoloCavagnero/FreeREA/9c2a726cd3adf526c43ae52a515a8fc5ea927fe7/"
    "cached_metrics/nats"
)
_SMALL_FILES = Files(
    "the test accuracies after 200 epochs",
    (
        Download(
            _META_URL, META_FILE, "sha256:7ecc7932fabec6b80551e07b845346de99d83c673f67a1891d619576b3fa053c", 35_330
        ),
        *(
            Download(f"{_TABLES_URL}/{dataset}/accuracies.csv", f"{dataset}/accuracies.csv", f"sha256:{sha256}", size)
            for dataset, size, sha256 in (
                ("cifar10", 274_605, "a41e06dbbd097df080ee6eb3eb8c6a92d589a0f53d51d66147155fcddbcacd2d"),
                ("cifar100", 361_050, "f6487d29eb75cfa40dd1741d7d77f36e935828613576f8ea2d838482f1e10169"),
                ("ImageNet16-120", 368_696, "b2c6c6b30cb9dd429106cdca913bf908680a4dc1d53199e062aa1ffae1a9bf9a"),
            )
        ),
    ),
)

_CONVOLUTIONS_TELL = Contrast.of_names(
    "(?!.*nor_conv).*",
    "[|+]*(nor_conv_[13]x[13]~[0-2][|+]+){6}",
    ("cells without convolutions", "with nothing but convolutions"),
)


class NatsTss(NatsBenchmark, CellBenchmark):
    """NATS-Bench's topology space; the ground truth is read from the local table."""

    name = "nats-tss"
    aliases = ("nasbench201", "nb201", "nats-bench-tss", "tss")
    title = "NATS-Bench topology space (NAS-Bench-201)"
    truths = tuple(_SPLITS)
    obtain = (
        "FILE is the archive folder NATS-tss-v1_0-3ffb9-simple, or a CSV or Parquet table of its accuracies; "
        "'harness data get nats-tss' downloads one; see docs/data.md"
    )

    def architectures(self) -> Sequence[str]:
        """The official strings of all cells.

        In the order of :func:`harness_benchmarks.nb201.topology.enumerate_cells`.
        """
        return topology.enumerate_architectures()

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of a cell, dead operations included, as the benchmark trained it.

        Raises:
            HarnessError: if the architecture is not an official string of a cell.
        """
        from harness_benchmarks.nb201.cells import CellNetwork

        classes = self.task(dataset).classes
        return CellNetwork(topology.parse_cell(architecture), WIDTHS, CELLS_PER_STAGE, classes)

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it; see :func:`parameter_counts`."""
        topology.parse_cell(architecture)
        return int(self.parameter_counts([architecture], dataset)[0])

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        r"""Each network's number of parameters, int64, (len(architectures),).

        .. math::
            464 + 5 \sum_{C \in \{16, 32, 64\}} \left( n_3 (9 C^2 + 2 C) + n_1 (C^2 + 2 C) \right)
            + \sum_{C \in \{16, 32\}} (56 C^2 + 8 C) + 128 + 65 K

        with :math:`n_3` and :math:`n_1` the cell's 3×3 and 1×1 convolutions, dead ones too, and :math:`K` classes; the
        terms are the stem, five cells of each width, the reduction blocks, the last batch norm and the classifier.

        >>> cell = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
        >>> NatsTss().parameter_counts([cell], "cifar10")
        array([129306])
        """
        threes, ones = (
            np.array([architecture.count(operation) for architecture in architectures], dtype=np.int64)
            for operation in ("nor_conv_3x3", "nor_conv_1x1")
        )
        stem = 3 * WIDTHS[0] * 9 + 2 * WIDTHS[0]
        reductions = sum(9 * a * b + 9 * b * b + a * b + 4 * b for a, b in itertools.pairwise(WIDTHS))
        head = 2 * WIDTHS[-1] + (WIDTHS[-1] + 1) * self.task(dataset).classes
        three = sum(CELLS_PER_STAGE * (9 * width * width + 2 * width) for width in WIDTHS)
        one = sum(CELLS_PER_STAGE * (width * width + 2 * width) for width in WIDTHS)
        return stem + reductions + head + three * threes + one * ones

    def dialects(self) -> Sequence[Dialect]:
        """Besides those of every benchmark of such cells, NATS-Bench's numbers."""
        return (*super().dialects(), dialects.INDEX)

    def sources(self) -> Sources:
        """The small public files at pinned commits; the full archive is on a file share."""
        return Sources(_SMALL_FILES, full=archive_share(self.name, TOPOLOGY))

    def cost_format(self, dataset: str) -> TableFormat:
        """The format of the local table of costs, for ``harness data import nats-tss-costs-DATASET FILE``."""
        self.check_dataset(dataset)
        return hw_nas_bench.table_format(dataset)

    def costs(self, dataset: str) -> Costs:
        """Latencies and energies from HW-NAS-Bench and, for CIFAR-10, from HELP, from the local tables.

        Raises:
            DataError: if no table was imported for the data set, or the two disagree.
        """
        further = {help_latencies.TABLE: help_latencies.table_format()} if dataset == "cifar10" else {}
        return read_costs(self.name, dataset, self.cost_format(dataset), further)

    def further_tables(self) -> Mapping[str, TableFormat]:
        """HELP's latencies, and accuracies under attack; both for CIFAR-10."""
        return {
            help_latencies.TABLE: help_latencies.table_format(),
            robustness.TABLE: robustness.table_format(),
        }

    def further_truths(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """Accuracies under attack, for CIFAR-10: ``fgsm-0.1`` is FGSM with ε = 0.1/255."""
        self.check_dataset(dataset)
        return robustness.TRUTHS if dataset == robustness.DATASET else ()

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Accuracies from the local table, or those under attack from a table of their own.

        ``x-valid`` and ``val`` of cifar10 belong to other networks than ``test``: those trained on half the images.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        if (split, epochs) in self.further_truths(dataset):
            return robustness.ground_truth(self.name, split)
        return super().ground_truth(dataset, split, epochs)

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import nats-tss FILE``."""
        return TableFormat(
            architectures=self.architectures,
            truths=table_columns(_SPLITS),
            essential=tuple(f"{dataset}/test/200" for dataset in self.datasets),
            seeds="mean over the seeds that were trained: up to three for 200 epochs, one or two for 12 epochs",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=self.obtain,
            readers=(ArchiveReader(TOPOLOGY), IndexedTablesReader()),
            contrast=_CONVOLUTIONS_TELL,
            order_sha256=TOPOLOGY.order_sha256,
            dialects=self.dialects(),
        )
