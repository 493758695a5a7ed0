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
from harness.display.tables.numbers import coefficient
from tools.reference_tables import estimated, grid

DIRECTIONS = {"params": "higher", "flops": "higher", "layers": "higher"}


def zoo_table(folder: Path) -> str:
    """Of each recipe, τ of three sizes with intervals, and the smallest difference that it shows."""
    found = published.accuracies(folder)
    missing = [recipe for recipe in RECIPES if not found[recipe]]
    if missing:
        raise SystemExit(f"there are no accuracies of {', '.join(missing)}: install torchvision, which states them")
    return grid(
        [
            "set", "networks", "accuracies (%)", "#Params τ", "#FLOPs τ", "layers τ", "smallest difference, #FLOPs",
            "smallest difference, layers",
        ],
        [_row(recipe, pd.Series(found[recipe])) for recipe in RECIPES],
    )  # fmt: skip


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
    table = correlation_table(scores, truth, DIRECTIONS)  # type: ignore[arg-type]
    correlations = {row["proxy"]: row for row in table.to_dict("records")}
    smallest = required_table(join(scores, truth, DIRECTIONS)).set_index("proxy")["smallest"]  # type: ignore[arg-type]
    return [
        f"`{recipe}`",
        str(len(accuracy)),
        f"{accuracy.min():.1f} to {accuracy.max():.1f}",
        *(estimated(correlations[proxy], "kendall") for proxy in DIRECTIONS),
        *(coefficient(smallest[proxy]) for proxy in ("flops", "layers")),
    ]


def _sizes(name: str) -> tuple[int, int, int]:
    network = networks()[name]
    return network.params, network.macs, network.convolutions + network.linear


if __name__ == "__main__":
    sys.stdout.write(f"{zoo_table(Path(sys.argv[1]))}\n")
