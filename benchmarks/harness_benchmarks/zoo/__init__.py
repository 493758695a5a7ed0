"""The ImageNet zoo: networks of torchvision, timm and pycls with their published accuracies on ImageNet.

They are networks that people use, of many families. How a network was trained decides much of its accuracy, so each
recipe is a set and a ground truth of its own. The networks are built by torchvision and timm (``pip install
'nas-proxy-harness[zoo]'``), without their weights; accuracies are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness._utils.names import unknown_name
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.data import TableFormat, Truth, read_costs
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.data.sources import Sources
from harness.errors import HarnessError, UnknownNameError
from harness.tasks import Task
from harness_benchmarks.zoo import costs, published
from harness_benchmarks.zoo.recipes import CLASSES, DATASET, FAMILIES, RECIPES, SIDE, SPLIT, networks, trained_by

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ImageNetZoo"]

_OBTAIN = (
    "FILE is the folder of the published files, or a table with a column 'architecture' and one for each recipe, such "
    f"as '{DATASET}/{SPLIT}/timm-a1'; 'harness data get imagenet-zoo' downloads them; see docs/imagenet-zoo.md"
)
_LOWEST = 50
"""No published accuracy is lower; error rates are."""


@dataclass(frozen=True, repr=False)
class RecipeTruth(GroundTruth):
    """The accuracies of one recipe, which stands in the place of epochs."""

    @property
    def when(self) -> str:
        """The recipe in words: ``recipe timm-a1``."""
        return f"recipe {self.epochs}"


class ImageNetZoo(Benchmark):
    """Networks with published accuracies on ImageNet; the accuracies are read from the local table."""

    name = "imagenet-zoo"
    aliases = ("zoo",)
    libraries = ("torchvision", "timm")
    title = "published networks for ImageNet: torchvision, timm and pycls"
    citation = "radosavovic2020zoo"
    datasets = (DATASET,)
    truths = tuple((SPLIT, recipe) for recipe in RECIPES)
    subsets = {  # noqa: RUF012
        "all": "every network; their recipes differ",
        **{name: recipe.words for name, recipe in RECIPES.items()},
        **{name: f"{words}; their recipes differ" for name, words in FAMILIES.items()},
    }

    def architectures(self) -> Sequence[str]:
        """Library and name, such as ``timm:resnet50``, in alphabetical order."""
        return list(networks())

    def task(self, dataset: str) -> Task:
        """Images of 3×224×224 in 1,000 classes."""
        self.check_dataset(dataset)
        return Task(dataset, (3, SIDE, SIDE), CLASSES)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The library's network with the library's initialisation, whose functions became modules.

        A network that takes images of one size only says so where it gets others.

        Raises:
            HarnessError: if the library that builds it is not installed.
            UnknownNameError: if it is not a network of the zoo.
        """
        from harness_benchmarks.zoo.building import build

        self.check_dataset(dataset)
        if architecture not in networks():
            raise UnknownNameError(unknown_name(f"network of {self.name}", architecture, list(networks())))
        return build(architecture)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The accuracies of the networks of one recipe, from the local table.

        Where the table lacks them, those of torchvision's recipes are read from the installed torchvision.

        Raises:
            DataError: if they have to be imported first.
        """
        import pandas as pd

        split, recipe = self.choose_truth(dataset, split, epochs)
        column = published.column_of(str(recipe))
        stored = read_metadata(self.name) if table_path(self.name).is_file() else None
        installed = None
        if str(recipe).startswith("torchvision") and (stored is None or column not in stored.columns):
            installed = published.installed_accuracies()
        if installed:
            accuracy = pd.Series(installed[str(recipe)], name=column, dtype="float64")
            source = f"weights' metadata of torchvision {published.torchvision_version()}"
        else:
            accuracy = read_table(self.name, [column], _OBTAIN)[column].astype("float64").dropna()
            source = read_metadata(self.name).source
        return RecipeTruth(
            benchmark=self.name,
            dataset=dataset,
            split=split,
            epochs=recipe,
            seeds=RECIPES[str(recipe)].seeds,
            metric="top-1 accuracy (%)",
            higher_is_better=True,
            source=source,
            accuracy=accuracy,
            partial=True,
        )

    def default_truth(self, dataset: str, subset: str = "all") -> tuple[str, int | str]:
        """The set's own recipe.

        Raises:
            HarnessError: for a set with networks of several recipes.
        """
        self.check_dataset(dataset)
        self.check_subset(subset)
        if subset not in RECIPES:
            there = [name for name in RECIPES if any(map(self.membership(subset), trained_by(name)))]
            offered = ", ".join(f"--truth {SPLIT}/{name}" for name in there)
            raise HarnessError(
                f"the networks of the set '{subset}' were trained by several recipes, and accuracies of different "
                f"recipes cannot be compared; choose one: {offered}"
            )
        return SPLIT, subset

    def choose_truth(self, dataset: str, split: str | None, epochs: int | str | None) -> tuple[str, int | str]:
        """The first recipe, or the one that is named, also without the split.

        Raises:
            UnknownNameError: if there is none; the message lists the available ones.
            HarnessError: if only the split is named, which all recipes have.
        """
        if split in RECIPES and epochs is None:
            split, epochs = SPLIT, split
        if split == SPLIT and epochs is None:
            raise HarnessError(f"'{SPLIT}' has accuracies of several recipes; choose one of {', '.join(RECIPES)}")
        return super().choose_truth(dataset, split, epochs)

    def costs(self, dataset: str) -> Costs:
        """Times of pycls' networks, from the local table.

        Raises:
            DataError: if no table was imported.
        """
        self.check_dataset(dataset)
        return read_costs(self.name, dataset, costs.table_format())

    def cost_format(self, dataset: str) -> TableFormat:
        """The format of the local table of costs, for ``harness data import imagenet-zoo-costs-imagenet-1k FILE``."""
        self.check_dataset(dataset)
        return costs.table_format()

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for a recipe or a family."""
        self.check_subset(subset)
        if subset == "all":
            return lambda architecture: True
        if subset in RECIPES:
            return set(trained_by(subset)).__contains__
        return {name for name, network in networks().items() if network.family == subset}.__contains__

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts of layers, by their kind.

        Raises:
            UnknownNameError: if it is not a network of the zoo.
        """
        if architecture not in networks():
            raise UnknownNameError(unknown_name(f"network of {self.name}", architecture, list(networks())))
        network = networks()[architecture]
        return {
            "layers": network.convolutions + network.linear,
            "convolutions": network.convolutions,
            "grouped convolutions": network.grouped,
            "linear layers": network.linear,
            "normalisations": network.norms,
        }

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's number of parameters, without building it, int64, (len(architectures),)."""
        self.check_dataset(dataset)
        return np.array([networks()[architecture].params for architecture in architectures], dtype=np.int64)

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """Each network's multiply-accumulates for one image of 224×224, int64, (len(architectures),)."""
        self.check_dataset(dataset)
        return np.array([networks()[architecture].macs for architecture in architectures], dtype=np.int64)

    def sources(self) -> Sources:
        """The published files of pycls and timm at pinned commits."""
        return Sources(published.FILES)

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import imagenet-zoo FILE``."""
        return TableFormat(
            architectures=self.architectures,
            truths={
                published.column_of(name): Truth(
                    f"top-1 accuracy (%) on the validation images: {recipe.words}",
                    (_LOWEST, 100),
                    networks=lambda name=name: trained_by(name),  # type: ignore[misc]
                )
                for name, recipe in RECIPES.items()
            },
            essential=tuple(map(published.column_of, RECIPES)),
            seeds="one training; of pycls' five, the one nearest to their mean",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=_OBTAIN,
            readers=(published.FolderReader(),),
        )
