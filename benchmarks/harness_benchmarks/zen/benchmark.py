"""What the four spaces of Zen-NAS's structures have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.contracts.search_space import Block, SearchSpace
from harness.tasks import Task
from harness_benchmarks.zen import mutation
from harness_benchmarks.zen.counters import Counts, counts
from harness_benchmarks.zen.mutation import Family, parse_of
from harness_benchmarks.zen.published import CIFAR10, CIFAR100, IMAGENET, LATENCIES, Published, published

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

TASKS = {CIFAR10: ((3, 32, 32), 10), CIFAR100: ((3, 32, 32), 100), IMAGENET: ((3, 224, 224), 1000)}

EPOCHS = {CIFAR10: 1440, CIFAR100: 1440, IMAGENET: 480}
"""The length of the published trainings (training scripts of both repositories)."""

_SPLITS = {CIFAR10: "test", CIFAR100: "test", IMAGENET: "val"}

QUANTITIES = {
    "params": "number of parameters",
    "flops": "multiply-accumulates of one image",
    "official_params": "number of parameters as Zen-NAS's code limits it",
    "official_flops": "operations of one image as Zen-NAS's code limits them",
    "layers": "layers of all blocks, as Zen-NAS's code limits them",
    "conv_layers": "convolutions, those of shortcuts and of squeeze and excitation included",
}


class ZenSpace(Benchmark, SearchSpace):
    """A space of Zen-NAS's structures; its ground truth is what was published of a few networks.

    ``build`` accepts every structure of the family, listed or not. The quantities ``official_params`` and
    ``official_flops`` are those of the network with residual links and without squeeze and excitation, in every space,
    because that is what the published searches limit.

    Attributes:
        family: the blocks of the space.
        published_as: the name of the space with the published networks.
        links: whether the networks have residual links.
        excites: whether they have squeeze and excitation.
    """

    citation = "lin2021zen"
    quantities = QUANTITIES
    moves = mutation.MOVES

    family: ClassVar[Family]
    published_as: ClassVar[str]
    links: ClassVar[bool]
    excites: ClassVar[bool]

    def architectures(self) -> Sequence[str]:
        """The published structures, each once, then the initial ones that are valid."""
        return _listed(self.published_as, self._initial_ones())

    def _initial_ones(self) -> tuple[str, ...]:
        raise NotImplementedError

    def task(self, dataset: str) -> Task:
        """Images of 3×32×32 in 10 or 100 classes, or of 3×224×224 in 1,000."""
        self.check_dataset(dataset)
        shape, classes = TASKS[dataset]
        return Task(dataset, shape, classes)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of any structure of the family.

        Raises:
            HarnessError: if it is not a structure of the family; the message names the block and its place.
        """
        from harness_benchmarks.zen.network import ZenNetwork

        classes = self.task(dataset).classes
        blocks = parse_of(self.family, architecture)
        return ZenNetwork(blocks, classes, links=self.links, excites=self.excites)

    def truths_of(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """The published accuracy after 1,440 epochs on CIFAR, after 480 on ImageNet."""
        self.check_dataset(dataset)
        return ((_SPLITS[dataset], EPOCHS[dataset]),)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The printed accuracies of the published networks; all others lack one."""
        import pandas as pd

        split, epochs = self.choose_truth(dataset, split, epochs)
        rows = self.published(dataset)
        return GroundTruth(
            benchmark=self.name,
            dataset=dataset,
            split=split,
            epochs=epochs,
            seeds=_seeds(rows),
            metric="top-1 accuracy (%)",
            higher_is_better=True,
            source=_source(rows),
            accuracy=pd.Series({row.structure: row.top1 for row in rows}, name="accuracy"),
            partial=True,
        )

    def costs(self, dataset: str) -> Costs | None:
        """The printed latencies on a V100, a T4 and a Pixel 2; NaN where there are none."""
        import pandas as pd

        rows = {row.structure: row.latencies for row in self.published(dataset) if row.latencies}
        if not rows:
            return None
        values = pd.DataFrame.from_dict(rows, orient="index", columns=list(LATENCIES))
        source = "README of idstcv/ZenNAS: V100 in fp16 and T4 in INT8 with mini-batches of 64, Pixel 2 with one image"
        return Costs(source, LATENCIES, values.reindex(list(self.architectures())))

    def published(self, dataset: str) -> list[Published]:
        """What is printed about the networks of this space on one data set."""
        self.check_dataset(dataset)
        return [row for row in published() if row.space == self.published_as and row.dataset == dataset]

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for one of the sets: the published networks of some data sets."""
        self.check_subset(subset)
        if subset == "all":
            return lambda architecture: True
        datasets = {"published": self.datasets, "imagenet": (IMAGENET,), "cifar": (CIFAR10, CIFAR100)}[subset]
        members = {row.structure for row in published() if row.space == self.published_as and row.dataset in datasets}
        return members.__contains__

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts of the structure: blocks, layers, convolutions, channels, and kernels.

        ``mean kernel`` and ``mean expansion`` are means over the layers of all blocks but plain convolutions; 0 if
        there are none.
        """
        blocks = parse_of(self.family, architecture)
        bodies = [block for block in blocks if block.type.kind != "convolution"]
        depth = sum(block.layers for block in bodies) or 1
        found = counts(blocks, 1, 1, links=self.links, excites=self.excites)
        return {
            "blocks": len(blocks),
            "layers": found.layers,
            "convolutions": found.convolutions,
            "stem width": blocks[0].outputs,
            "widest": max(max(block.outputs, block.bottleneck) for block in blocks),
            "last width": blocks[-1].outputs,
            "mean kernel": sum(block.layers * block.type.kernel for block in bodies) / depth,
            "mean expansion": sum(block.layers * block.type.expansion for block in bodies) / depth,
        }

    def mutate(
        self, architecture: str, generator: np.random.Generator, mutations: int = 1, moves: str | None = None
    ) -> str:
        """A mutation as by :func:`harness_benchmarks.zen.mutation.mutate`."""
        return mutation.mutate(architecture, self.family, generator, mutations, moves)

    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities`, by a formula.

        Raises:
            UnknownNameError: if there is no such quantity.
            HarnessError: if the architecture is not a structure of the family.
        """
        self.check_quantity(name)
        official = name in ("official_params", "official_flops")
        found = self.counts(architecture, dataset, official=official)
        return float(getattr(found, _FIELDS[name]))

    def counts(self, architecture: str, dataset: str, *, official: bool = False) -> Counts:
        """All sizes of a network, without building it.

        Args:
            architecture: a structure of the family.
            dataset: for the size of an image and the number of classes.
            official: of the network that the published searches measure, which has residual links and no squeeze and
                excitation, instead of this space's own.
        """
        self.check_dataset(dataset)
        shape, classes = TASKS[dataset]
        links, excites = (True, False) if official else (self.links, self.excites)
        return counts(parse_of(self.family, architecture), shape[-1], classes, links=links, excites=excites)

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The blocks of the structure."""
        return [
            Block(block.type.label, block.outputs, block.layers, block.stride)
            for block in parse_of(self.family, architecture)
        ]


_FIELDS = {
    "params": "params",
    "flops": "macs",
    "official_params": "official_params",
    "official_flops": "official_flops",
    "layers": "layers",
    "conv_layers": "convolutions",
}


@functools.cache
def _listed(space: str, initial: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(row.structure for row in published() if row.space == space), *initial]))


def _seeds(rows: Sequence[Published]) -> str:
    return (
        "as published, ZiCo's as means of three trainings" if any(r.source == "ZiCo" for r in rows) else "as published"
    )


def _source(rows: Sequence[Published]) -> str:
    sources = {"Zen-NAS": "README of idstcv/ZenNAS", "ZiCo": "Table 2 of ZiCo"}
    return ", ".join(words for name, words in sources.items() if any(row.source == name for row in rows))
