"""NAS-Bench-Macro: 6,561 MobileNet-like networks trained on CIFAR-10, three times each.

Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021. The networks are implemented in
this project; the facts about them come from the official code (xiusu/NAS-Bench-Macro at commit 61a2bfc). The ground
truth is not included; users import it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.search_space import Block, PlaceSpace
from harness.data import Contrast, TableFormat, Truth
from harness.data.local_tables import read_metadata, read_table, table_ground_truth
from harness.data.sources import Download, Files, Sources
from harness.tasks import Task
from harness_benchmarks.nasbench_macro import codes, sizes
from harness_benchmarks.nasbench_macro.records import CLASSES, REPEATS, RecordsReader

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

__all__ = ["NasBenchMacro"]

_FILE = "nas-bench-macro_cifar10.json"
_SOURCE = Files(
    "the published accuracies",
    (
        Download(
            "https://raw.githubusercontent.com/xiusu/NAS-Bench-Macro/61a2bfc2ca0dce04d0997e6cf498047c27d6acf2/data/"
            f"{_FILE}",
            _FILE,
            "sha256:686dee8363cc21cca8c1f321ad5749454f2d9b9ca5972682e137e539bc522297",
            1_178_821,
        ),
    ),
)
_OBTAIN = (
    f"FILE is {_FILE}, or a CSV or Parquet table of its accuracies; 'harness data get nasbench-macro' downloads it; "
    "see docs/data.md"
)
_EPOCHS = 50
_MEAN = "cifar10/test/best"
_SINGLE = tuple(f"{_MEAN}/repeat-{repeat}" for repeat in range(1, REPEATS + 1))
_PARAMETERS = "cifar10/params"
_IDENTITIES_TELL = Contrast.of_names(
    ".0.00.00", "[12]{8}", ("networks with nothing but reductions", "without identities")
)


class NasBenchMacro(PlaceSpace, Benchmark):
    """NAS-Bench-Macro; the ground truth is read from the local table.

    The accuracy of a training is the best of its 50 epochs on the test images, because the official training keeps that
    (``best_acc`` in ``train/train.py``). Architectures that are the same network have the same three trainings, because
    only one of them was trained.
    """

    name = "nasbench-macro"
    aliases = ("nb-macro",)
    title = "NAS-Bench-Macro"
    citation = "su2021macro"
    datasets = ("cifar10",)
    truths = (("test", "best"),)
    subsets = codes.SUBSETS
    choices = codes.CHOICES
    length = codes.PLACES
    quantities = {"params": "number of parameters", "flops": "multiply-accumulates of one image"}  # noqa: RUF012

    def architectures(self) -> Sequence[str]:
        """Eight digits each, ``00000000`` to ``22222222``; the last changes fastest."""
        return codes.enumerate_architectures()

    def task(self, dataset: str) -> Task:
        """Images of 3×32×32 in 10 classes."""
        self.check_dataset(dataset)
        return Task("cifar10", (sizes.IMAGE_CHANNELS, sizes.SIDE, sizes.SIDE), CLASSES)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of an architecture; see :class:`harness_benchmarks.nasbench_macro.network.MacroNetwork`.

        Raises:
            HarnessError: if the architecture is not eight of the digits 0, 1 and 2.
        """
        from harness_benchmarks.nasbench_macro.network import MacroNetwork

        return MacroNetwork(architecture, self.task(dataset).classes)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Mean accuracy over the three trainings, from the local table.

        Raises:
            DataError: if no table was imported.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        seeds = f"mean over {REPEATS} seeds, each at the best of {_EPOCHS} epochs on these images"
        return table_ground_truth(self.name, dataset, split, epochs, seeds=seeds, obtain=_OBTAIN)

    def trainings(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> pd.DataFrame | None:
        """The accuracy (%) of each training, (architectures, 3); None if the local table contains only means.

        Raises:
            DataError: if no table was imported.
        """
        self.choose_truth(dataset, split, epochs)
        stored = read_metadata(self.name, _OBTAIN).columns
        return read_table(self.name, _SINGLE, _OBTAIN) if set(_SINGLE) <= set(stored) else None

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for one of the sets."""
        self.check_subset(subset)
        return codes.unique().__contains__ if subset == "unique" else lambda architecture: True

    def canonical_form(self, architecture: str) -> str:
        """The same network with identities at the end of each stage; see :func:`.codes.canonical_form`."""
        return codes.canonical_form(architecture)

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts of blocks and of bare reductions; see :func:`.codes.features`."""
        return codes.features(architecture)

    def dialects(self) -> Sequence[Dialect]:
        """Lists of digits, and numbers that have lost their leading zeros."""
        return (
            Dialect("lists of eight digits", codes.of_list, "(0, 2, 0, 1, 2, 1, 0, 0)"),
            Dialect("numbers without leading zeros", codes.of_number, "2012100"),
        )

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters; see :mod:`harness_benchmarks.nasbench_macro.sizes`."""
        return sizes.parameter_counts(architectures, self.task(dataset).classes)

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of multiply-accumulates; see :mod:`harness_benchmarks.nasbench_macro.sizes`."""
        return sizes.operation_counts(architectures, self.task(dataset).classes)

    def size_key(self, architecture: str) -> str:
        """The canonical form."""
        return codes.canonical_form(architecture)

    def places(self, architecture: str) -> tuple[str, ...]:
        """The digit of each layer."""
        return tuple(codes.parse(architecture))

    def of_places(self, places: Sequence[str]) -> str:
        """The architecture with these digits."""
        return codes.parse("".join(places))

    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities`, by a formula.

        Raises:
            UnknownNameError: if there is no such quantity.
            HarnessError: if the architecture is not eight of the digits 0, 1 and 2.
        """
        self.check_quantity(name)
        counts = {"params": self.parameter_counts, "flops": self.operation_counts}[name]
        return float(counts([architecture], dataset)[0])

    def blocks(self, architecture: str) -> Sequence[Block]:
        """Stem, searched layers and head."""
        searched = codes.layers(architecture)
        return [
            Block("conv3", codes.STEM_WIDTH, 1),
            *(Block(layer.label, layer.outputs, 1, layer.stride) for layer in searched),
            Block("conv1", codes.HEAD_WIDTH, 1),
        ]

    def sources(self) -> Sources:
        """The published file at a pinned commit."""
        return Sources(_SOURCE)

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import nasbench-macro FILE``."""
        what = f"accuracy (%) on the test images at the best of {_EPOCHS} epochs on them"
        return TableFormat(
            architectures=self.architectures,
            truths={_MEAN: Truth(f"{what}, mean over {REPEATS} seeds", chance=100 / CLASSES)},
            essential=(_MEAN,),
            seeds=f"mean over {REPEATS} trainings",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=_OBTAIN,
            readers=(RecordsReader(_MEAN, _SINGLE, _PARAMETERS),),
            contrast=_IDENTITIES_TELL,
            dialects=self.dialects(),
            trainings={_MEAN: _SINGLE},
        )
