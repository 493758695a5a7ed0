"""Measure the reliability of the committed accuracies: ``python -m tools.digits.reliability``.

Prints the numbers in this directory's README.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from harness_benchmarks.digits import Digits
from harness_benchmarks.digits.table import read_description
from scipy.stats import kendalltau, spearmanr

from harness.seeds import derive_seed

if TYPE_CHECKING:
    import pandas as pd


def split_half_agreement(accuracies: pd.DataFrame, splits: int = 200) -> float:
    """Kendall τ-b between the mean accuracies of two disjoint halves of the seeds, averaged over random halvings.

    An odd seed is left out of each halving; every call uses the same ones.
    """
    values = accuracies.to_numpy()
    half = values.shape[1] // 2
    rng = np.random.default_rng(derive_seed("digits", "halves"))
    agreements = []
    for _ in range(splits):
        order = rng.permutation(values.shape[1])
        first, second = values[:, order[:half]], values[:, order[half : 2 * half]]
        agreements.append(kendalltau(first.mean(axis=1), second.mean(axis=1)).statistic)
    return float(np.mean(agreements))


def simple_baselines(benchmark: Digits) -> dict[str, Callable[[str], float]]:
    """Ways to rank cells without images: the size of the network and the count of each operation."""

    def parameters(architecture: str) -> float:
        return sum(weight.numel() for weight in benchmark.build(architecture, "digits").parameters())

    return {
        "#Params": parameters,
        "number of 3×3 convolutions": lambda architecture: architecture.count("nor_conv_3x3"),
        "number of 1×1 convolutions": lambda architecture: architecture.count("nor_conv_1x1"),
        "number of skip connections": lambda architecture: architecture.count("skip_connect"),
        "number of average poolings": lambda architecture: architecture.count("avg_pool_3x3"),
        "number of operations other than none": lambda architecture: 6 - architecture.count("none"),
    }


def report() -> str:
    """The numbers as Markdown."""
    benchmark = Digits()
    accuracies = benchmark.per_seed_accuracies()
    connected = accuracies.loc[benchmark.subset("connected")]
    mean = accuracies.mean(axis=1)
    cost = read_description()
    deviation = float(np.sqrt(accuracies.var(axis=1, ddof=1).mean()))
    quantiles = " | ".join(f"{mean.quantile(q):.1f}" for q in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
    lines = [
        f"{len(accuracies)} cells ({len(connected)} connected) × {accuracies.shape[1]} seeds; "
        f"{cost['core_minutes']} core minutes, {cost['seconds_per_training']} s per training",
        f"standard deviation between seeds of one cell: {deviation:.2f} points; of the cells' means: {mean.std():.2f}",
        "",
        "| accuracy (%) | min | 5 % | 25 % | median | 75 % | 95 % | max |",
        "|---|---|---|---|---|---|---|---|",
        f"| mean over seeds | {quantiles} |",
        "",
        "| agreement of two halves of the seeds | Kendall τ |",
        "|---|---|",
        f"| all | {split_half_agreement(accuracies):.3f} |",
        f"| connected | {split_half_agreement(connected):.3f} |",
        "",
        "| baseline | τ all | ρ all | τ connected | ρ connected |",
        "|---|---|---|---|---|",
    ]
    for name, score in simple_baselines(benchmark).items():
        figures = []
        for cells in (accuracies.index, connected.index):
            scores = [score(architecture) for architecture in cells]
            figures += [kendalltau(scores, mean[cells]).statistic, spearmanr(scores, mean[cells]).statistic]
        lines.append(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(report() + "\n")
