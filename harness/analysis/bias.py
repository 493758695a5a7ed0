"""Bias of scores: rank correlation of scores and accuracies with counts that describe an architecture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from harness.analysis.joined import Joined
from harness.analysis.scores import Mask
from harness.analysis.statistics.correlation import estimate, two_sided_quantile
from harness.analysis.statistics.jackknife import Jackknife, jackknife
from harness.analysis.statistics.ranks import Ranks, rank
from harness.errors import HarnessError

COLUMNS = [
    "proxy", "feature", "networks", "spearman", "spearman_low", "spearman_high",
    "truth", "bias", "bias_low", "bias_high",
]  # fmt: skip


def features_of(architectures: Iterable[str], describe: Callable[[str], Mapping[str, float]]) -> pd.DataFrame:
    """Counts that describe architectures: one row per architecture, one column per count that varies.

    Args:
        architectures: their identifiers.
        describe: :meth:`harness.contracts.benchmark.Benchmark.features`.

    Raises:
        HarnessError: if no count varies over the architectures.
    """
    names = list(architectures)
    table = pd.DataFrame([describe(name) for name in names], index=names, dtype=np.float64)
    table = table[[column for column in table.columns if table[column].min() < table[column].max()]]
    if table.empty:
        raise HarnessError(
            "these architectures have no features: the benchmark declares none, or none that varies; see "
            "harness.Benchmark.features"
        )
    return table


def bias_table(joined: Joined, features: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    r"""Spearman's ρ of scores and of accuracies with each feature; one row per proxy and feature.

    The columns of the result: ``proxy``, ``feature``; ``networks``, the number with a finite score; ``spearman``, ρ of
    score and feature, with bounds; ``truth``, ρ of accuracy and feature on the same networks; ``bias``, ``spearman``
    minus ``truth``, with paired bounds: positive if the proxy prefers more of the feature than the accuracies do.

    Args:
        joined: scores and accuracies.
        features: one row per architecture, one column per feature, without missing values.
        confidence: of the intervals.
    """
    table = features.reindex(joined.architectures).to_numpy(dtype=np.float64).T
    rows = []
    before: Mask | None = None
    ranked: list[tuple[Ranks, Jackknife]] = []
    for name, scores in joined.rows.items():
        used = scores.usable
        if before is None or not np.array_equal(used, before):
            before, truth = used, rank(joined.accuracy[used])
            ranked = [(feature, jackknife(truth, feature)[1]) for feature in (rank(column[used]) for column in table)]
        score = rank(scores.value[used])
        for feature, (ranks, of_truth) in zip(features.columns, ranked, strict=True):
            _, of_score = jackknife(score, ranks)
            found = estimate(of_score, confidence)
            difference = of_score - of_truth
            error = difference.standard_error
            reach = two_sided_quantile(confidence, len(score) - 1) * error if error > 0 else math.nan
            rows.append(
                (
                    *(name, feature, len(score), found.value, found.low, found.high, of_truth.value),
                    *(difference.value, difference.value - reach, difference.value + reach),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)
