"""Definitions of the terms and columns on the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """The definition of a term.

    Attributes:
        name: the anchor.
        term: the term.
        text: its meaning.
        sections: anchors of the sections that use it.
    """

    name: str
    term: str
    text: str
    sections: tuple[str, ...]


DEFINITIONS = (
    Definition(
        "kendall",
        "Kendall τ",
        "τ-b: the number of pairs of networks that score and accuracy order in the same way minus the number of those "
        "ordered differently, divided by the geometric mean of the numbers of pairs not tied in the score and not tied "
        "in the accuracy. 1: same order; 0: no relation; −1: reverse order. The direction of each score is declared, "
        "never fitted.",
        ("correlations", "sets", "scatter"),
    ),
    Definition(
        "spearman",
        "Spearman ρ",
        "Pearson correlation of the average ranks of scores and accuracies.",
        ("correlations", "scatter"),
    ),
    Definition(
        "interval",
        "[95 %]",
        "95 % jackknife interval. It covers the sampling of networks: how much the coefficient would change with "
        "another sample of the same size. It does not cover the seed of the weights, the batch of images, or the "
        "seed of the trained accuracies.",
        ("correlations",),
    ),
    Definition(
        "difference",
        "Δτ",
        "τ of the proxy minus τ of the baseline, both on the networks for which both have a finite score. Its interval "
        "and p are for the paired difference. p is two-sided and not corrected for the number of proxies.",
        ("correlations",),
    ),
    Definition(
        "verdict",
        "Verdict",
        "▲ win: the interval of Δτ is above zero; ▼ loss: it is below zero; ○ tie: neither; ◆ is the baseline.",
        ("correlations", "sets"),
    ),
    Definition(
        "outcome",
        "Networks",
        "Networks with a finite score, of all scored networks. Failed, non-finite and skipped scores are counted below "
        "the table and excluded from coefficients. Distinct: the number of different scores.",
        ("correlations",),
    ),
    Definition(
        "cost",
        "Own, alone",
        "Own: the cost of a proxy in addition to the passes that proxies share. Alone: its cost as if it were the only "
        "proxy. Medians per network, in milliseconds and in multiples (×) of one forward and backward pass of the same "
        "network and batch.",
        ("costs",),
    ),
)
