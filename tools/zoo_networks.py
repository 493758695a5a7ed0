"""Write the networks of the benchmark imagenet-zoo: ``python -m tools.zoo_networks FOLDER``.

FOLDER has the published files, as ``harness data get imagenet-zoo`` downloads them. It needs torchvision and timm.
Which networks there are, and by which recipes, comes from these files and from torchvision; everything else is counted
on the networks as they are built here, on torch's meta device.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from harness_benchmarks.zoo import published
from harness_benchmarks.zoo.building import build
from harness_benchmarks.zoo.recipes import RECIPES, SIDE
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from harness.images import Batch
from harness.probe import Probe

TABLE = Path("benchmarks/harness_benchmarks/zoo/networks.csv")
COUNTS = ("params", "macs", "convolutions", "grouped", "linear", "norms")


def recipes_of_networks(folder: Path) -> dict[str, list[str]]:
    """The recipes of each network that is published, in order."""
    found: dict[str, list[str]] = {}
    accuracies = published.accuracies(folder, known=None)
    for recipe in RECIPES:
        for architecture in accuracies[recipe]:
            found.setdefault(architecture, []).append(recipe)
    return dict(sorted(found.items()))


def counts(architecture: str, side: int = SIDE) -> dict[str, int]:
    """What can be counted on a network without weights."""
    with torch.device("meta"):
        network = build(architecture)
        images, labels = torch.zeros(2, 3, side, side), torch.zeros(2, dtype=torch.long)
    layers = list(network.modules())
    convolutions = [layer for layer in layers if isinstance(layer, _ConvNd)]
    return {
        "params": sum(parameter.numel() for parameter in network.parameters()),
        "macs": Probe(network, [Batch(images, labels)], 0).multiply_accumulates(),
        "convolutions": len(convolutions),
        "grouped": sum(layer.groups > 1 for layer in convolutions),
        "linear": sum(isinstance(layer, nn.Linear) for layer in layers),
        "norms": sum(isinstance(layer, _NormBase | nn.LayerNorm | nn.GroupNorm) for layer in layers),
    }


def write(recipes: Mapping[str, list[str]], path: Path = TABLE) -> None:
    """Count on every network, and write the table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["architecture", "recipes", *COUNTS])
        for architecture, names in recipes.items():
            table.writerow([architecture, " ".join(names), *counts(architecture).values()])
            sys.stdout.write(f"{architecture}\n")


if __name__ == "__main__":
    write(recipes_of_networks(Path(sys.argv[1])))
