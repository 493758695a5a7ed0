"""A proxy's scores and the accuracies of some networks, ranked once, with all leave-one-out values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.scores import Mask, ProxyScores
from harness.analysis.statistics.comparison import compare_jackknives
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.ranks import Ranks, rank


@dataclass(frozen=True)
class Ranking:
    """A proxy's scores and the accuracies of some networks, ranked.

    Attributes:
        proxy: all its scores.
        used: the networks ranked, shape (n,).
        score: the ranks of their scores.
        truth: the ranks of their accuracies.
        coefficients: Kendall's τ-b and Spearman's ρ, with their leave-one-out values.
    """

    proxy: ProxyScores
    used: Mask
    score: Ranks
    truth: Ranks
    coefficients: tuple[Jackknife, Jackknife]


def ranking(proxy: ProxyScores, used: Mask, accuracy: Floats, like: Ranking | None = None) -> Ranking:
    """The ranking of the used networks; the ranks of the accuracies are reused from ``like`` if possible.

    Args:
        proxy: the scores of all networks, oriented so that higher is better.
        used: mask of the networks to rank; all of them need a finite score.
        accuracy: of all networks, oriented so that higher is better.
        like: any ranking against the same accuracies.
    """
    truth = like.truth if like is not None and np.array_equal(used, like.used) else rank(accuracy[used])
    score = rank(proxy.value[used])
    return Ranking(proxy, used, score, truth, jackknife(score, truth))


def on_common_networks(first: Ranking, second: Ranking, accuracy: Floats) -> tuple[Ranking, Ranking]:
    """Both rankings on their common networks; unchanged if they use the same ones."""
    if np.array_equal(first.used, second.used):
        return first, second
    common = first.used & second.used
    second = ranking(second.proxy, common, accuracy)
    return ranking(first.proxy, common, accuracy, second), second


def coefficient_columns(coefficients: tuple[Jackknife, Jackknife], confidence: float) -> dict[str, float]:
    """τ-b and ρ with their bounds, as a table has them."""
    kendall, spearman = (estimate(coefficient, confidence) for coefficient in coefficients)
    return kendall.columns("kendall") | spearman.columns("spearman")


def difference_columns(own: Ranking, reference: Ranking, accuracy: Floats, confidence: float) -> dict[str, Any]:
    """The comparison with a baseline on the networks that both have a finite score for, as a table has it."""
    own, reference = on_common_networks(own, reference, accuracy)
    found = compare_jackknives(own.coefficients, reference.coefficients, confidence)
    return {
        "difference": found.difference,
        "difference_low": found.low,
        "difference_high": found.high,
        "p_value": found.p_value,
        "verdict": found.verdict,
        "spearman_difference": found.spearman_difference,
    }
