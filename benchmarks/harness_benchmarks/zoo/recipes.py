"""The networks of the zoo, the recipes that trained them, and their families, from ``networks.csv``.

``networks.csv`` has one row for each network: its recipes, and what ``python -m tools.zoo_networks`` counted on the
network as it is built here. No accuracy is in it.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATASET = "imagenet-1k"
SPLIT = "val"
SIDE = 224
CLASSES = 1000


@dataclass(frozen=True)
class Recipe:
    """One way of training, and who published the accuracies of the networks trained so.

    Attributes:
        words: one line for listings.
        seeds: how many trainings stand behind an accuracy.
        tag: of timm's weights; empty for the others.
    """

    words: str
    seeds: str = "one training"
    tag: str = ""


RECIPES: Mapping[str, Recipe] = {
    "pycls-100ep": Recipe(
        "pycls' networks, all trained for 100 epochs by one recipe", "of five trainings, the one nearest to their mean"
    ),
    "torchvision-v1": Recipe("torchvision's first weights; each family has its own recipe"),
    "torchvision-v2": Recipe("torchvision's second weights, by its 'new recipe' of 600 epochs and variants of it"),
    "timm-a1": Recipe("timm's recipe A1: 600 epochs", tag="a1_in1k"),
    "timm-a2": Recipe("timm's recipe A2: 300 epochs", tag="a2_in1k"),
    "timm-a3": Recipe("timm's recipe A3: 100 epochs on images of 160 × 160", tag="a3_in1k"),
    "timm-pycls": Recipe(
        "pycls' RegNets, the same trainings as in pycls-100ep, evaluated by timm",
        "of five trainings, the one nearest to their mean",
        "pycls_in1k",
    ),
    "timm-gluon": Recipe("GluonCV's weights, evaluated by timm; several related recipes", tag="gluon_in1k"),
}
"""Each is a set, and a ground truth ``val/RECIPE``. Accuracies of different recipes cannot be compared."""

FAMILIES: Mapping[str, str] = {
    "resnet": "ResNets and their variants C, D, S and T",
    "wide-resnet": "Wide ResNets",
    "resnext": "ResNeXts",
    "se-resnet": "ResNets and ResNeXts with squeeze and excitation, SENet and ECA-ResNet",
    "regnet": "RegNetX and RegNetY",
    "efficientnet": "EfficientNets, both versions",
    "mobilenet": "MobileNets",
    "mnasnet": "MnasNets",
    "shufflenet": "ShuffleNets",
    "densenet": "DenseNets",
    "vgg": "VGGs",
    "convnext": "ConvNeXts",
    "swin": "Swin Transformers, both versions",
    "vit": "Vision Transformers",
    "other": "every other network",
}
"""Each is a set; its networks come from several recipes."""

_PREFIXES = {
    **{"wide_resnet": "wide-resnet", "resnext": "resnext", "ecaresnet": "se-resnet", "se": "se-resnet"},
    **{"resnet": "resnet", "regnet": "regnet", "efficientnet": "efficientnet", "mobilenet": "mobilenet"},
    **{"mnasnet": "mnasnet", "shufflenet": "shufflenet", "densenet": "densenet", "vgg": "vgg"},
    **{"convnext": "convnext", "swin": "swin", "vit": "vit"},
}


@dataclass(frozen=True)
class Network:
    """A network of the zoo.

    Attributes:
        architecture: its identifier: library and name, such as ``timm:resnet50``.
        recipes: those that it was trained by.
        params: its number of parameters.
        macs: multiply-accumulates for one image of 224 × 224, as the proxy ``flops`` counts them.
        convolutions: its convolutions, with those below.
        grouped: its convolutions with several groups, depthwise ones included.
        linear: its linear layers.
        norms: its normalisation layers.
    """

    architecture: str
    recipes: tuple[str, ...]
    params: int
    macs: int
    convolutions: int
    grouped: int
    linear: int
    norms: int

    @property
    def family(self) -> str:
        """Its key in :data:`FAMILIES`."""
        return family_of(self.architecture)


def family_of(architecture: str) -> str:
    """The family of a network, by its name.

    >>> family_of("timm:seresnext50_32x4d"), family_of("torchvision:wide_resnet50_2"), family_of("torchvision:alexnet")
    ('se-resnet', 'wide-resnet', 'other')
    """
    name = architecture.partition(":")[2]
    return next((family for prefix, family in _PREFIXES.items() if name.startswith(prefix)), "other")


@functools.cache
def networks() -> Mapping[str, Network]:
    """Every network by its identifier, in the order of the benchmark."""
    with (Path(__file__).parent / "networks.csv").open(encoding="utf-8", newline="") as file:
        rows = [_network(row) for row in csv.DictReader(file)]
    return {row.architecture: row for row in rows}


def _network(row: Mapping[str, str]) -> Network:
    counts = {name: int(row[name]) for name in ("params", "macs", "convolutions", "grouped", "linear", "norms")}
    return Network(row["architecture"], tuple(row["recipes"].split()), **counts)


@functools.cache
def trained_by(recipe: str) -> tuple[str, ...]:
    """The networks of one recipe, in the benchmark's order."""
    return tuple(network.architecture for network in networks().values() if recipe in network.recipes)
