"""Measure the analysis of many scores: ``python -m tools.perf.analysis --networks 423624 --scores 30``.

The scores are synthetic: the accuracies plus noise. Every third score has 28 distinct values, like #Params on
NAS-Bench-201; every tenth is missing for one network in a hundred. The accuracies are those of NAS-Bench-101 if its
table exists and has this many, else random. It measures the time from the long table of scores to the correlation table
(every coefficient with its interval and the paired comparison with the baseline) and to all paired differences.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Literal

import numpy as np
import pandas as pd

from harness.analysis import correlation_table
from harness.analysis.joined import join
from harness.analysis.pairs import pair_table
from harness.contracts.ground_truth import GroundTruth
from harness.data.local_tables import table_path
from harness.execution.limits.memory import peak_megabytes
from harness.registry import load_benchmark

DISTINCT = 28
BASELINE = "params"


def made_up_scores(truth: GroundTruth, scores: int) -> pd.DataFrame:
    """A long table as from a store: one row per architecture and score."""
    rng = np.random.default_rng(0)
    accuracy = truth.accuracy.to_numpy()
    standard = (accuracy - accuracy.mean()) / accuracy.std()
    names = [BASELINE, *(f"score{number}" for number in range(1, scores))]
    value = np.empty((scores, len(accuracy)))
    for number in range(scores):
        value[number] = standard + (0.5 + number / 10) * rng.normal(size=len(accuracy))
        if number % 3 == 0:
            cuts = np.quantile(value[number], np.linspace(0, 1, DISTINCT + 1)[1:-1])
            value[number] = np.searchsorted(cuts, value[number])
        if number % 10 == 9:
            value[number, rng.random(len(accuracy)) < 0.01] = np.nan
    architectures = pd.concat([pd.Series(truth.accuracy.index, dtype="str")] * scores, ignore_index=True)
    return pd.DataFrame(
        {
            "architecture": architectures,
            "proxy": pd.Series(np.repeat(np.array(names), len(accuracy)), dtype="str"),
            "status": pd.Series(np.where(np.isnan(value), "non_finite", "ok").ravel(), dtype="str"),
            "value": value.ravel(),
        }
    )


def accuracies(networks: int) -> GroundTruth:
    """The accuracies of NAS-Bench-101 if there are this many, else random ones."""
    if table_path("nasbench101").exists():
        truth = load_benchmark("nasbench101").ground_truth("cifar10")
        if len(truth.accuracy) == networks:
            return truth
    names = [f"{number:032x}" for number in range(networks)]
    drawn = pd.Series(np.random.default_rng(1).normal(90, 5, networks), index=names)
    return GroundTruth("made up", "none", "test", 1, "one seed", "accuracy", True, "drawn", drawn)


def measure(networks: int, scores: int) -> tuple[float, float, float]:
    """Seconds for the correlation table and for all pairs, and this process's peak memory in megabytes."""
    _analyse(100, 2)
    return *_analyse(networks, scores), peak_megabytes()


def _analyse(networks: int, scores: int) -> tuple[float, float]:
    """Seconds for the correlation table, and for all pairs; the first call in a process includes imports."""
    truth = accuracies(networks)
    table = made_up_scores(truth, scores)
    better: dict[str, Literal["higher", "lower"]] = dict.fromkeys(table["proxy"].unique(), "higher")
    start = time.perf_counter()
    correlation_table(table, truth, better, baseline=BASELINE)
    middle = time.perf_counter()
    pair_table(join(table, truth, better))
    return middle - start, time.perf_counter() - middle


def main() -> None:
    """Print the three numbers."""
    parser = argparse.ArgumentParser(prog="python -m tools.perf.analysis", description=main.__doc__)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--scores", type=int, default=10)
    options = parser.parse_args()
    sys.stdout.write(" ".join(f"{number:.6g}" for number in measure(options.networks, options.scores)) + "\n")


if __name__ == "__main__":
    main()
