r"""The noise ceiling: how well any score can rank, given that the accuracies themselves are noisy.

An accuracy comes from one training run, or is the mean of K runs with different seeds. If the networks were trained
again they would rank slightly differently, and no score can predict that part of the ranking.

If a network's accuracy is its expected accuracy plus independent noise, and two training runs correlate at r, then

* the mean of K trainings correlates at :math:`r_K = K r / (1 + (K - 1) r)` with that of K others (Spearman, British
  Journal of Psychology 1910; Brown, ibid.),
* and at :math:`\sqrt{r_K}` with the expected accuracy itself (Spearman, American Journal of Psychology 1904), which is
  the most that a noise-free score can reach.

The second is larger than the first, because a score equal to the expected accuracy does not have the noise of another
training run. Both hold for Pearson's r. They are transferred to τ and ρ by their relation to r in a bivariate normal
population, :math:`\tau = \frac{2}{\pi} \arcsin r` and :math:`\rho = \frac{6}{\pi} \arcsin \frac{r}{2}`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.ranking import coefficient_columns
from harness.analysis.statistics.ranks import rank
from harness.contracts.ground_truth import GIVEN
from harness.errors import HarnessError
from harness.seeds import derive_seed

if TYPE_CHECKING:
    from harness.contracts.ground_truth import GroundTruth

Relation = Literal[
    "one training", "half of the trainings", "other images", "other length", "other images and length", "other measure"
]
Coefficient = Literal["kendall", "spearman"]

COEFFICIENTS: tuple[Coefficient, ...] = ("kendall", "spearman")
_NAMES = tuple(prefix + name for prefix in ("", "ceiling_") for name in COEFFICIENTS)
COLUMNS = (
    "first", "second", "relation", "trainings", "networks",
    *(name + suffix for name in _NAMES for suffix in ("", "_low", "_high")),
)  # fmt: skip

HALVINGS = 50
"""Number of random halvings of the training runs; the agreement is the mean over them."""


def ceiling_table(
    truths: Sequence[GroundTruth],
    trainings: pd.DataFrame | None = None,
    architectures: pd.Index | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement of a benchmark's accuracies with each other, on the same networks.

    The columns of the result, one row per pair of accuracies:

    * ``first``, ``second``: as split/epochs; the ground truth that is ranked against comes first.
    * ``relation``: how they differ: ``one training`` against another, ``half of the trainings`` against the other half,
      ``other images``, ``other length``, ``other images and length``; ``other measure`` if one of them is not the
      benchmark's.
    * ``trainings``: the number of runs averaged on each side for the first two relations; NaN otherwise.
    * ``networks``: the number with both accuracies.
    * ``kendall``, ``kendall_low``, ``kendall_high``: τ-b with its bounds. Between training runs it is the mean over all
      pairs or over 50 halvings, with the bounds of that mean.
    * ``spearman``, ``spearman_low``, ``spearman_high``: ρ likewise.
    * ``ceiling_kendall``, ``ceiling_spearman``, each with bounds: the coefficient of a score equal to the expected
      accuracy, against the mean of all training runs; see the module's description. NaN except for training runs.

    Args:
        truths: accuracies of one data set; the one that is ranked against comes first.
        trainings: the single training runs behind the first, one column per run; None if they are not known.
        architectures: the networks; all with accuracies by default.
        confidence: of the intervals.

    Raises:
        HarnessError: if there is nothing to compare.
    """
    rows: list[dict[str, object]] = []
    if trainings is not None and trainings.shape[1] > 1:
        chosen = trainings if architectures is None else trainings.reindex(architectures)
        rows += _rows_of_trainings(truths[0].name, chosen.dropna(), confidence)
    for first, second in combinations(truths, 2):
        both = pd.concat([first.oriented, second.oriented], axis=1, join="inner")
        both = (both if architectures is None else both.reindex(architectures)).dropna()
        x, y = both.to_numpy(dtype=np.float64).T
        facts: dict[str, object] = {
            "first": first.name,
            "second": second.name,
            "relation": _relation(first, second),
        }
        rows.append(facts | {"networks": len(both)} | coefficient_columns(jackknife(rank(x), rank(y)), confidence))
    if not rows:
        raise HarnessError(
            "there is only one ground truth, and its single training runs are not known: nothing to compare"
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def noiseless(agreement: float, coefficient: Coefficient, averaged: float) -> float:
    """The coefficient of a noise-free score with a mean of training runs, from the agreement of its parts.

    Args:
        agreement: τ or ρ between single training runs, or between means of several.
        coefficient: which of the two it is.
        averaged: the number of such parts in the mean: K for single runs, 2 for halves.

    Returns:
        The same coefficient between the expected accuracy and the mean; NaN if the agreement is not positive.

    >>> [round(noiseless(0.5, "kendall", trainings), 3) for trainings in (1, 3, 9)]
    [0.636, 0.774, 0.865]
    """
    r = math.sin(math.pi / 2 * agreement) if coefficient == "kendall" else 2 * math.sin(math.pi / 6 * agreement)
    if not r > 0:
        return math.nan
    best = min(math.sqrt(averaged * r / (1 + (averaged - 1) * r)), 1)
    return 2 / math.pi * math.asin(best) if coefficient == "kendall" else 6 / math.pi * math.asin(best / 2)


def _rows_of_trainings(name: str, trainings: pd.DataFrame, confidence: float) -> list[dict[str, object]]:
    """Single training runs against each other and, with four or more, half of them against the other half."""
    values = trainings.to_numpy(dtype=np.float64).T
    count = len(values)
    pairs = list(combinations(values, 2))
    kinds: list[tuple[Relation, int, list[tuple[Floats, Floats]]]] = [("one training", 1, pairs)]
    if count > 3:
        kinds.append(("half of the trainings", count // 2, _halvings(values)))
    rows = []
    for relation, averaged, sides in kinds:
        row: dict[str, object] = {"first": name, "second": name, "relation": relation}
        row |= {"trainings": averaged, "networks": len(trainings)}
        found = coefficient_columns(_mean_agreement(sides), confidence)
        ceilings = {
            f"ceiling_{which}{suffix}": noiseless(found[which + suffix], which, count / averaged)
            for which in COEFFICIENTS
            for suffix in ("", "_low", "_high")
        }
        rows.append(row | found | ceilings)
    return rows


def _halvings(values: Floats) -> list[tuple[Floats, Floats]]:
    """Means of two disjoint random halves; with an odd number of runs, one is left out."""
    half = len(values) // 2
    rng = np.random.default_rng(derive_seed("noise ceiling", "halves"))
    orders = [rng.permutation(len(values)) for _ in range(HALVINGS)]
    return [(values[order[:half]].mean(axis=0), values[order[half : 2 * half]].mean(axis=0)) for order in orders]


def _mean_agreement(sides: Sequence[tuple[Floats, Floats]]) -> tuple[Jackknife, Jackknife]:
    """The mean of τ-b, and of ρ, over several pairs of rankings of the same networks."""
    found = [jackknife(rank(first), rank(second)) for first, second in sides]
    kendall, spearman = (
        Jackknife(
            float(np.mean([each[which].value for each in found])),
            np.mean([each[which].left_out for each in found], axis=0),
        )
        for which in (0, 1)
    )
    return kendall, spearman


def _relation(first: GroundTruth, second: GroundTruth) -> Relation:
    if GIVEN in (first.epochs, second.epochs) or first.metric != second.metric:
        return "other measure"
    if first.epochs == second.epochs:
        return "other images"
    return "other length" if first.split == second.split else "other images and length"
