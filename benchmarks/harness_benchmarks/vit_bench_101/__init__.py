"""ViT-Bench-101: 200 AutoFormers and 100 PiTs, trained from scratch and distilled on three small data sets.

Wei et al., "Auto-Prox: Training-Free Vision Transformer Architecture Search via Automatic Proxy Discovery", AAAI 2024
(arXiv:2312.09059). The networks are implemented in this project; the facts about them come from the official code
(lilujunai/Auto-Prox-AAAI24 at commit 90ed458). The ground truth is not included; users import it.

The families are two benchmarks, because no ranking within one says anything about the other: the spaces differ, moves
do not lead from one to the other, and pooled, mostly the families would be ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from harness.contracts.search_space import Block, NeighbourSpace, PlaceSpace
from harness.data import Contrast
from harness_benchmarks.vit_bench_101 import autoformer, pit
from harness_benchmarks.vit_bench_101.benchmark import VitBench, published
from harness_benchmarks.vit_bench_101.layers import PATCH
from harness_benchmarks.vit_bench_101.records import RecordsReader
from harness_benchmarks.vit_bench_101.truths import BASE, SUPERNET, Way

__all__ = ["VitBenchAutoFormer", "VitBenchPit"]


class VitBenchAutoFormer(NeighbourSpace, VitBench):
    """Vision transformers of AutoFormer-Ti's space: one width, with heads and perceptrons of each layer's own.

    Accuracies of distilled networks are the default: they are what Auto-Prox ranks by (``test_zc_rank.py``), and every
    network has them. Those from scratch are known of 100 networks, the set ``scratch``. On ImageNet, the weights are
    those of a supernet, whose layers have 64 channels for each head and no bias before the attention; the networks here
    are those that Auto-Prox scores there, with 1,000 classes.
    """

    name = "vit-bench-101-autoformer"
    aliases = ("vit-bench-autoformer", "vitbench101-autoformer")
    title = "ViT-Bench-101: AutoFormer-Ti"
    datasets = ("cifar100", "flowers", "chaoyang", "imagenet-1k")
    subsets = {  # noqa: RUF012
        "all": "every network that was distilled",
        "scratch": "the networks that were trained from scratch too",
    }
    partial = (BASE,)
    files = published(
        ("gt_autoformer.pth", "712ad277546d9f7f565ce07885be7e0b98dcd8d0724fdd1120f595b517436eca", 26_671),
        ("gt_autoformer_2.pth", "05f5df6a41f338fb5f47eafebfc8758c75e451606856b278ccda1c60b26e7bca", 23_983),
    )
    reader = RecordsReader("autoformer", "hidden_dim", autoformer.of_fields)
    size = 200
    architectures_sha256 = "30e8fabd7bf32c38235576a04baf944bf60d062c847a566cc8fffcd388a6f4f8"
    dialect = autoformer.DIALECT

    def parsed(self, architecture: str) -> autoformer.AutoFormer:
        """The architecture of a text; raises HarnessError for anything else."""
        return autoformer.parse(architecture)

    def truths_of(self, dataset: str) -> Sequence[Way]:
        """Distilled, then from scratch; on ImageNet with the weights of a supernet."""
        self.check_dataset(dataset)
        return (SUPERNET,) if dataset == "imagenet-1k" else self.truths

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for one of the sets, by the values of the local table.

        Raises:
            DataError: if no table was imported.
        """
        self.check_subset(subset)
        if subset == "all":
            return lambda architecture: True
        split, epochs = BASE
        return self.with_values([f"{dataset}/{split}/{epochs}" for dataset in self.datasets])

    def features(self, architecture: str) -> Mapping[str, float]:
        """Width and depth, and means over the layers."""
        return autoformer.features(autoformer.parse(architecture))

    def random(self, generator: np.random.Generator) -> str:
        """An architecture drawn uniformly; see :func:`.autoformer.random`."""
        return str(autoformer.random(generator))

    def neighbours(self, architecture: str) -> Sequence[str]:
        """Those with one change; see :func:`.autoformer.neighbours`."""
        return list(map(str, autoformer.neighbours(autoformer.parse(architecture))))

    def crossover(self, first: str, second: str, generator: np.random.Generator) -> str:
        """Width, depth and each layer of either parent; see :func:`.autoformer.crossover`."""
        return str(autoformer.crossover(autoformer.parse(first), autoformer.parse(second), generator))

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The patches, then the layers."""
        width, layers = autoformer.parse(architecture)
        drawn = [Block(f"h{layer.heads} r{layer.ratio:g}", width, 1) for layer in layers]
        return [Block(f"patch{PATCH}", width, 1, PATCH), *drawn]


class VitBenchPit(PlaceSpace, VitBench):
    """Pooling-based vision transformers: three stages, which halve the resolution.

    Accuracies of distilled networks are the default, as for the AutoFormers: they are what Auto-Prox ranks by.
    """

    name = "vit-bench-101-pit"
    aliases = ("vit-bench-pit", "vitbench101-pit")
    title = "ViT-Bench-101: PiT"
    datasets = ("cifar100", "flowers", "chaoyang")
    subsets = {"all": "every network that was trained, both from scratch and distilled"}  # noqa: RUF012
    files = published(("gt_pit.pth", "bdda89841d4105f99ab759e3243e7a2402929ba7a8430dac12a50256aa533bb2", 12_271))
    reader = RecordsReader("pit", "base_dim", pit.of_fields)
    size = 100
    architectures_sha256 = "a067c5e8cc1e2d3c4056d9c48977aeb77faf6ac82afc9237e7a05f576aeadfae"
    dialect = pit.DIALECT
    contrast = Contrast.of_names(
        "b(16|24)-.*h[24]", "b(32|40)-.*h8", ("networks that end with at most 96 channels", "with 256 or 320")
    )
    length = len(pit.CHOICES)

    def parsed(self, architecture: str) -> pit.Pit:
        """The architecture of a text; raises HarnessError for anything else."""
        return pit.parse(architecture)

    def features(self, architecture: str) -> Mapping[str, float]:
        """Base, ratio, and the depths and widths of the stages."""
        return pit.features(pit.parse(architecture))

    def choices_at(self, place: int) -> Sequence[str]:
        """Bases, ratios, depths of each stage, and heads of all stages."""
        return pit.CHOICES[place]

    def places(self, architecture: str) -> tuple[str, ...]:
        """Base, ratio, depth of each stage, and heads of all stages."""
        return pit.places(pit.parse(architecture))

    def of_places(self, places: Sequence[str]) -> str:
        """The architecture."""
        return str(pit.of_places(places))

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The patches, then the stages."""
        found = pit.parse(architecture)
        drawn = [
            Block(f"h{stage.heads} r{found.ratio}", width, stage.layers, 2 if number else 1)
            for number, (stage, width) in enumerate(zip(found.stages, found.widths, strict=True))
        ]
        return [Block(f"patch{PATCH}", found.widths[0], 1, pit.STRIDE), *drawn]
