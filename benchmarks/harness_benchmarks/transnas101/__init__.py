"""TransNAS-Bench-101: 4,096 cells (micro) and 3,256 skeletons (macro), each trained on seven tasks.

Duan et al., "TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task Neural Architecture
Search", CVPR 2021. The networks are implemented in this project; the facts about them come from the official code
(yawen-d/TransNASBench at commit 6d4231b, its task configurations at commit fcd4e9c). The ground truth is not included;
users import it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.search_space import NeighbourSpace, PlaceSpace
from harness.data import TableFormat, Truth
from harness.data.local_tables import table_ground_truth
from harness.data.sources import FileShare, Sources
from harness.tasks import CLASSES, DISTRIBUTION, IMAGE, PIXEL_CLASSES, RECONSTRUCTION, VECTOR, Task
from harness_benchmarks.nb201 import topology
from harness_benchmarks.nb201.features import cell_features
from harness_benchmarks.transnas101 import macro, micro
from harness_benchmarks.transnas101.archive import PthReader, Space
from harness_benchmarks.transnas101.sizes import parameter_counts
from harness_benchmarks.transnas101.skeleton import module_features
from harness_benchmarks.transnas101.tasks import HEADS, TASKS, TILES
from harness_benchmarks.transnas101.truths import COLUMNS, FACTS

if TYPE_CHECKING:
    from torch import nn

    from harness.images import Images

__all__ = ["TransNasMacro", "TransNasMicro"]

_FILE = "transnas-bench_v10141024.pth"
VIEWS = 512
"""Maximum number of images read from a directory of Taskonomy."""

_ALONE = "mean absolute error of the generator's image; the discriminator takes no part"
_OBJECTIVES = {
    "class_scene": DISTRIBUTION,
    "class_object": DISTRIBUTION,
    "room_layout": VECTOR,
    "jigsaw": CLASSES,
    "segmentsemantic": PIXEL_CLASSES,
    "normal": replace(IMAGE, words=_ALONE),
    "autoencoder": replace(RECONSTRUCTION, words=_ALONE),
}
_IMAGE, _TILE = (3, 256, 256), (3, 64, 64)


class TransNas(Benchmark):
    """One search space of TransNAS-Bench-101; its ground truth is read from the local table.

    Networks have as many classes as in the benchmark's training. The tasks autoencoder and normal train a generator
    with a discriminator; the loss is 0.99 times the mean absolute error plus 0.01 times the adversarial loss.
    Before training the discriminator knows nothing, so here the network is only the generator, and the loss of gradient
    proxies is the mean absolute error.
    """

    citation = "duan2021transnas"
    datasets = TASKS
    truths = (("val", "final"), ("val", "best"), ("test", "final"), ("test", "best"))
    space: ClassVar[Space]

    @property
    def obtain(self) -> str:
        """A short description of the file to import, and where to get it."""
        return (
            f"FILE is {_FILE}, or a CSV or Parquet table of its accuracies; "
            f"'harness data get {self.name}' says where to get one"
        )

    def task(self, dataset: str) -> Task:
        """Images of 3×256×256 (for the jigsaw, nine tiles of 3×64×64), and the task's loss."""
        self.check_dataset(dataset)
        shape = (TILES, *_TILE) if dataset == "jigsaw" else _IMAGE
        return Task(dataset, shape, HEADS[dataset].outputs, _OBJECTIVES[dataset])

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network with the task's head; see :func:`harness_benchmarks.transnas101.network.build_network`.

        It takes images of any resolution that its total stride divides.

        Raises:
            HarnessError: if the architecture is not a code of this space.
        """
        from harness_benchmarks.transnas101.network import build_network

        self.check_dataset(dataset)
        self.check_architecture(architecture)
        return build_network(architecture, dataset)

    def dialects(self) -> Sequence[Dialect]:
        """The digits of NASLib's tuples, without the rest of the code."""
        codes = {"micro": micro.of_digits, "macro": macro.of_digits}
        example = {"micro": "(1, 0, 2, 3, 3, 3)", "macro": "(1, 2, 3, 4, 0, 0)"}
        return (Dialect("op indices of NASLib", codes[self.space], example[self.space]),)

    def check_architecture(self, architecture: str) -> None:
        """Raise HarnessError for anything that is not a code of this space."""
        raise NotImplementedError

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it."""
        return int(self.parameter_counts([architecture], dataset)[0])

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters; see :mod:`harness_benchmarks.transnas101.sizes`."""
        self.check_dataset(dataset)
        return parameter_counts(architectures, dataset)

    def truths_of(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """Validation and test at the final epoch and at the best by validation; for segmentation also of the mIoU."""
        self.check_dataset(dataset)
        marks = [mark for mark in FACTS[dataset].metrics() if mark]
        return (*self.truths, *((f"{split}-{mark}", when) for mark in marks for split, when in self.truths))

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The task's own metric from the local table; higher is better in all of them.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        column = COLUMNS[f"{dataset}/{split}/{epochs}"]
        return table_ground_truth(
            self.name,
            dataset,
            split,
            epochs,
            seeds=f"one training of {column.epochs} epochs",
            obtain=self.obtain,
            metric=column.metric.words,
        )

    def read_images(self, source: Path, task: Task, seed: int) -> Images | None:
        """Views of a directory of Taskonomy with the task's targets, or puzzles of any pictures for the jigsaw.

        None for images of another data set, and for tiles that were cut already.
        """
        from harness.images import Images
        from harness.images.files import is_data_set
        from harness_benchmarks.transnas101.taskonomy import read_views
        from harness_benchmarks.transnas101.taskonomy_files import has_images

        if not source.is_dir() or (not has_images(source) and is_data_set(source)):
            from harness_benchmarks.transnas101.jigsaw import puzzles_of_pictures

            return puzzles_of_pictures(source, task, seed, VIEWS) if task.dataset == "jigsaw" else None
        views = read_views(source, task.dataset, VIEWS, seed, resolution=task.image_shape[-1])
        return Images(views.pixels, views.targets, views.description)

    def sources(self) -> Sources:
        """The official file, on a file share."""
        return Sources(
            FileShare(
                "the official file of TransNAS-Bench-101",
                "https://github.com/yawen-d/TransNASBench (its README links a Google Drive folder)",
                _FILE,
                (f"harness data import {self.name} {_FILE}",),
            )
        )

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import``."""
        return TableFormat(
            architectures=self.architectures,
            truths={
                name: Truth(
                    column.description,
                    column.metric.limits,
                    column.metric.decimals,
                    chance=100 / HEADS[column.task].outputs if column.metric.counts_right else None,
                )
                for name, column in COLUMNS.items()
            },
            essential=tuple(f"{task}/{split}/{when}" for task in TASKS for split, when in self.truths),
            seeds="one training of each network",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=self.obtain,
            readers=(PthReader(self.space),),
            dialects=self.dialects(),
            contrast={"micro": micro.CONTRAST, "macro": macro.CONTRAST}[self.space],
        )


class TransNasMicro(PlaceSpace, TransNas):
    """The micro space: one skeleton, 4,096 cells."""

    name = "transnas-micro"
    aliases = ("transnasbench101-micro", "transnas-bench-micro", "tnb101-micro")
    title = "TransNAS-Bench-101 micro"
    space = "micro"
    subsets = micro.SUBSETS
    choices = micro.OPERATIONS
    length = len(topology.EDGES)

    def places(self, architecture: str) -> tuple[str, ...]:
        """The operation of each edge."""
        return micro.parse_cell(architecture)

    def of_places(self, places: Sequence[str]) -> str:
        """The official code."""
        return micro.cell_code(tuple(places))

    def architectures(self) -> Sequence[str]:
        """The official codes, in the order of the benchmark's tables."""
        return micro.enumerate_architectures()

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for one of the sets of cells."""
        self.check_subset(subset)
        return micro.membership(subset)

    def canonical_form(self, architecture: str) -> str:
        """The function that the cell computes as a text.

        See :func:`harness_benchmarks.transnas101.micro.canonical_form`.
        """
        return micro.canonical_form(architecture)

    def features(self, architecture: str) -> Mapping[str, float]:
        """The numbers of the cell's operations, its depth and its number of paths.

        See :func:`harness_benchmarks.nb201.features.cell_features`.
        """
        return cell_features(micro.parse_cell(architecture), micro.OPERATIONS)

    def check_architecture(self, architecture: str) -> None:
        """Raise HarnessError for anything that is not a code of the micro space."""
        micro.parse_cell(architecture)


class TransNasMacro(NeighbourSpace, TransNas):
    """The macro space: residual blocks in 3,256 skeletons, no two of which are the same network."""

    name = "transnas-macro"
    aliases = ("transnasbench101-macro", "transnas-bench-macro", "tnb101-macro")
    title = "TransNAS-Bench-101 macro"
    space = "macro"
    subsets = macro.SUBSETS

    def architectures(self) -> Sequence[str]:
        """The official codes, in the order of the benchmark's tables."""
        return macro.enumerate_architectures()

    def features(self, architecture: str) -> Mapping[str, float]:
        """The numbers of modules; see :func:`harness_benchmarks.transnas101.skeleton.module_features`."""
        return module_features(macro.parse_modules(architecture))

    def check_architecture(self, architecture: str) -> None:
        """Raise HarnessError for anything that is not a code of the macro space."""
        macro.parse_modules(architecture)

    def random(self, generator: np.random.Generator) -> str:
        """A uniformly drawn code."""
        codes = self.architectures()
        return codes[int(generator.integers(len(codes)))]

    def neighbours(self, architecture: str) -> Sequence[str]:
        """The codes with one module changed, left out or put in; see :func:`.macro.neighbours`."""
        return macro.neighbours(architecture)
