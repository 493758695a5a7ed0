"""What the words and columns of the page mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """A word of the page.

    Attributes:
        name: the anchor.
        term: the word.
        text: what it means.
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
        "τ-b: the pairs of networks that score and accuracy order alike minus those that they order differently, over "
        "the geometric mean of the pairs not tied in the score and those not tied in the accuracy. 1 is the same "
        "order, 0 no relation, −1 the reverse. Which way a score is better is declared, never fitted.",
        ("correlations", "sets", "scatter"),
    ),
    Definition(
        "spearman",
        "Spearman ρ",
        "Pearson's correlation of the average ranks of scores and accuracies.",
        ("correlations", "scatter"),
    ),
    Definition(
        "interval",
        "[95 %]",
        "The jackknife's 95 % interval. It covers the drawing of the networks: how far the coefficient would move with "
        "another sample of the same size. It does not cover the seed of the weights, the batch of images, or the "
        "seed of the trained accuracies.",
        ("correlations",),
    ),
    Definition(
        "difference",
        "Δτ",
        "τ of the proxy minus τ of the baseline, both on the networks for which both have a finite score; its interval "
        "and p are those of the paired difference. p is two-sided and not corrected for the number of proxies.",
        ("correlations",),
    ),
    Definition(
        "verdict",
        "Verdict",
        "▲ win where the interval of Δτ lies above zero, ▼ loss where it lies below, else ○ tie; ◆ is the baseline.",
        ("correlations", "sets"),
    ),
    Definition(
        "outcome",
        "Networks",
        "Those with a finite score, of all that were scored. What failed, was not finite or was skipped is counted "
        "under the table and in no coefficient. Distinct: the number of different scores among them.",
        ("correlations",),
    ),
    Definition(
        "cost",
        "Own, alone",
        "What a proxy adds to the passes that it shares with others, and what it takes by itself: medians for one "
        "network, in milliseconds and in multiples (×) of one forward and backward pass of the same network and batch.",
        ("costs",),
    ),
)
