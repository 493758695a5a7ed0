"""How well sizes rank the networks of each recipe of imagenet-zoo, and what so few networks can show.

``python -m tools.zoo_tables FOLDER`` prints the table of ``docs/imagenet-zoo.md``. FOLDER has the published files, as
``harness data get imagenet-zoo`` downloads them; torchvision's accuracies come from the installed package. Nothing is
built: sizes and layers are those of ``networks.csv``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from harness_benchmarks.zoo import published
from harness_benchmarks.zoo.recipes import DATASET, RECIPES, SPLIT, networks

from harness.analysis.correlations import correlation_table
from harness.analysis.joined import join
from harness.analysis.required_n import required_table
from harness.contracts.ground_truth import GroundTruth

DIRECTIONS = {"params": "higher", "flops": "higher", "layers": "higher"}


def rows(folder: Path) -> list[list[str]]:
    """Head and rows: of each recipe, τ of three sizes with intervals, and the smallest difference that it shows."""
    head = [
        "set", "networks", "accuracies", "#Params τ", "#FLOPs τ", "layers τ", "smallest difference, #FLOPs",
        "smallest difference, layers",
    ]  # fmt: skip
    found = published.accuracies(folder)
    return [head, *(_row(recipe, pd.Series(found[recipe])) for recipe in RECIPES if found[recipe])]


def _row(recipe: str, accuracy: pd.Series[float]) -> list[str]:
    truth = GroundTruth("imagenet-zoo", DATASET, SPLIT, recipe, "", "", True, "", accuracy)
    scores = pd.DataFrame(
        [
            (name, proxy, "ok", float(value))
            for name in accuracy.index
            for proxy, value in zip(DIRECTIONS, _sizes(name), strict=True)
        ],
        columns=["architecture", "proxy", "status", "value"],
    )
    table = correlation_table(scores, truth, DIRECTIONS).set_index("proxy")  # type: ignore[arg-type]
    smallest = required_table(join(scores, truth, DIRECTIONS)).set_index("proxy")["smallest"]  # type: ignore[arg-type]
    return [
        f"`{recipe}`",
        str(len(accuracy)),
        f"{accuracy.min():.1f} to {accuracy.max():.1f}",
        *(_interval(table, proxy) for proxy in DIRECTIONS),
        *(f"{smallest[proxy]:.2f}".lstrip("0") for proxy in ("flops", "layers")),
    ]


def _sizes(name: str) -> tuple[int, int, int]:
    network = networks()[name]
    return network.params, network.macs, network.convolutions + network.linear


def _interval(table: pd.DataFrame, proxy: str) -> str:
    value, low, high = (
        f"{table[name][proxy]:.{digits}f}".replace("0.", ".", 1).replace("-", "−")
        for name, digits in (("kendall", 3), ("kendall_low", 2), ("kendall_high", 2))
    )
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    for line in rows(Path(sys.argv[1])):
        sys.stdout.write(f"| {' | '.join(line)} |\n")
