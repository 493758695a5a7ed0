r"""How many networks are needed to detect that a proxy ranks better than another.

The standard error of a paired difference of τ-b falls as :math:`\sigma / \sqrt n` with the number of networks n, and σ
is estimated from the given networks: :math:`\hat\sigma = \sqrt n\,\mathrm{SE}` with the jackknife's SE. This assumes
that other networks come from the same population, and that the benchmark is large compared with the sample. For a
sample of n drawn without replacement from N networks, the standard error is smaller by the factor :math:`\sqrt{1 -
n/N}`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness._utils.names import listed
from harness.analysis.statistics.comparison import compare
from harness.analysis.statistics.correlation import two_sided_quantile
from harness.analysis.statistics.jackknife import FEWEST_NETWORKS, Floats
from harness.analysis.statistics.ranking import Ranking, on_common_networks, ranking
from harness.errors import HarnessError
from harness.seeds import derive_seed

if TYPE_CHECKING:
    from harness.analysis.joined import Joined

COLUMNS = (
    "proxy", "networks", "difference", "standard_error", "deviation", "required", "power", "smallest",
)  # fmt: skip
CHECK_COLUMNS = (
    "proxy", "networks", "draws", "difference", "deviation_predicted", "deviation_found", "power_predicted",
    "power_found",
)  # fmt: skip


def required_table(
    joined: Joined, difference: float = 0.03, baseline: str = "params", power: float = 0.8, confidence: float = 0.95
) -> pd.DataFrame:
    r"""The number of networks that a paired comparison with the baseline needs, per proxy, fewest first.

    The columns of the result:

    * ``proxy``; ``networks``: the number with a finite score of it and of the baseline, from which the rest is
      computed.
    * ``difference``: of τ-b, proxy minus baseline, as observed; ``standard_error``: the jackknife's.
    * ``deviation``: :math:`\hat\sigma`, the standard error times the root of ``networks``.
    * ``required``: the number of networks that detects a true difference of size ``difference`` with the requested
      power.
    * ``power``: the power of the given networks to detect it.
    * ``smallest``: the smallest true difference that the given networks detect with the requested power.

    NaN if the difference has no standard error or it is zero, as for scores that always rank the same.

    Args:
        joined: scores beside the accuracies.
        difference: the true difference of τ-b to detect, of either sign.
        baseline: the row that the others are compared with.
        power: the probability of detecting it.
        confidence: of the interval that has to exclude zero.

    Raises:
        HarnessError: if the baseline was not scored, or there is nothing to compare with it.
        ValueError: if difference, power or confidence is not valid.
    """
    others, reference = _others(joined, baseline)
    rows: list[dict[str, Any]] = []
    for name in others:
        own = ranking(joined.rows[name], joined.rows[name].usable, joined.accuracy, reference)
        own, base = on_common_networks(own, reference, joined.accuracy)
        found = own.coefficients[0] - base.coefficients[0]
        networks, error = len(own.score), found.standard_error
        deviation = error * math.sqrt(networks)
        known = error > 0
        rows.append(
            {
                "proxy": name,
                "networks": networks,
                "difference": found.value,
                "standard_error": error,
                "deviation": deviation,
                "required": required_networks(difference, deviation, power, confidence) if known else math.nan,
                "power": power_of(difference, error, networks, confidence) if known else math.nan,
                "smallest": smallest_difference(error, networks, power, confidence) if known else math.nan,
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("required", kind="stable", na_position="last", ignore_index=True)


def power_of(
    difference: float, standard_error: float, networks: int, confidence: float = 0.95, share: float = 0.0
) -> float:
    r"""The probability that the interval of a paired difference excludes zero, on either side.

    The estimate is assumed to be normal around the true difference, and the interval to extend :math:`q\,\mathrm{SE}`
    to each side, with q from Student's t.

    Args:
        difference: the true difference.
        standard_error: of the estimate, from the jackknife.
        networks: the number of networks in the comparison.
        confidence: of the interval.
        share: the share of all networks that is in the comparison; it reduces the true standard error by the factor
            sqrt(1 - share), which the jackknife does not include.

    >>> round(power_of(0.03, 0.03 / 2.8, 1000), 2)
    0.8
    """
    from scipy.special import ndtr

    spread = standard_error * math.sqrt(1 - share)
    reach = two_sided_quantile(confidence, networks - 1) * standard_error
    return float(ndtr((difference - reach) / spread) + ndtr((-difference - reach) / spread))


def smallest_difference(standard_error: float, networks: int, power: float = 0.8, confidence: float = 0.95) -> float:
    """The true difference that is detected with the given power.

    Raises:
        ValueError: if the power does not lie between 1 - confidence and 1.
    """
    from scipy.optimize import brentq

    if not 1 - confidence < power < 1:
        raise ValueError(f"the power must lie between {1 - confidence:g} and 1, such as 0.8, but is {power}")
    far = 2 * standard_error * (two_sided_quantile(confidence, networks - 1) + 10)
    return float(brentq(lambda d: power_of(d, standard_error, networks, confidence) - power, 0.0, far))


def required_networks(difference: float, deviation: float, power: float = 0.8, confidence: float = 0.95) -> int:
    r"""The smallest number of networks that detects a true difference with the given power.

    About :math:`\sigma^2 (z_{1-\alpha/2} + z_{power})^2 / d^2`; exact for :func:`power_of`.

    Args:
        difference: the true difference, of either sign.
        deviation: σ, the standard error of the estimate times the root of the number of networks.
        power: the probability of detecting it.
        confidence: of the interval.

    Raises:
        ValueError: if the difference is zero, or the power does not lie between 1 - confidence and 1.

    >>> required_networks(0.03, 0.5)
    2182
    """
    if difference == 0:
        raise ValueError("no number of networks can detect a difference of zero")
    size = abs(difference)

    def enough(networks: int) -> bool:
        return smallest_difference(deviation / math.sqrt(networks), networks, power, confidence) <= size

    low, high = FEWEST_NETWORKS - 1, FEWEST_NETWORKS
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def check_by_subsampling(
    joined: Joined, networks: int, draws: int = 200, baseline: str = "params", confidence: float = 0.95
) -> pd.DataFrame:
    """Check predicted standard errors and powers by repeatedly drawing subsets of the given networks.

    The given networks represent the benchmark: their difference counts as the true one, and their jackknife predicts
    the rest.

    The columns of the result: ``proxy``; ``networks`` in each draw; ``draws``; ``difference``, the true difference;
    ``deviation_predicted`` and ``deviation_found``, the standard deviation of the difference between draws;
    ``power_predicted`` and ``power_found``, the share of draws whose interval excludes zero. Proxies are in the order
    of :attr:`~harness.analysis.joined.Joined.rows`; those whose difference has no spread are left out.

    Args:
        joined: scores and accuracies.
        networks: number of networks in each draw, without replacement.
        draws: number of draws.
        baseline: the row that the others are compared with.
        confidence: of the intervals.

    Raises:
        HarnessError: if the baseline was not scored, or there are not more networks than to draw.
    """
    others, reference = _others(joined, baseline)
    if not FEWEST_NETWORKS <= networks < len(joined):
        raise HarnessError(f"cannot draw {networks} networks; choose {FEWEST_NETWORKS} to {len(joined) - 1}")
    rows = []
    for name in others:
        proxy = joined.rows[name]
        both = proxy.usable & reference.used
        total = int(np.count_nonzero(both))
        if total <= networks:
            continue
        values = proxy.value[both], reference.proxy.value[both], joined.accuracy[both]
        rows.append({"proxy": name} | _checked(values, networks, draws, confidence))
    table = pd.DataFrame(rows, columns=list(CHECK_COLUMNS))
    return table[table["deviation_predicted"] > 0].reset_index(drop=True)


def _checked(values: tuple[Floats, Floats, Floats], networks: int, draws: int, confidence: float) -> dict[str, Any]:
    """Prediction and result for the scores of a proxy, those of the baseline, and the accuracies."""
    score, baseline, accuracy = values
    total = len(score)
    truth = compare(score, baseline, accuracy, confidence)
    error = (truth.high - truth.low) / 2 / two_sided_quantile(confidence, total - 1) * math.sqrt(total / networks)
    share = networks / total
    rng = np.random.default_rng(derive_seed("required n", networks))
    found: Floats = np.full(draws, np.nan)
    decided = 0
    for draw in range(draws):
        chosen = rng.choice(total, networks, replace=False)
        comparison = compare(score[chosen], baseline[chosen], accuracy[chosen], confidence)
        found[draw] = comparison.difference
        decided += comparison.verdict in ("win", "loss")
    return {
        "networks": networks,
        "draws": draws,
        "difference": truth.difference,
        "deviation_predicted": error * math.sqrt(1 - share),
        "deviation_found": float(np.std(found, ddof=1)),
        "power_predicted": power_of(truth.difference, error, networks, confidence, share) if error > 0 else math.nan,
        "power_found": decided / draws,
    }


def _others(joined: Joined, baseline: str) -> tuple[list[str], Ranking]:
    if baseline not in joined.rows or joined.rows[baseline].networks == 0:
        raise HarnessError(f"there are no scores of '{baseline}'; there are scores of {listed(joined.rows)}")
    others = [name for name in joined.rows if name != baseline]
    if not others:
        raise HarnessError(f"there are only scores of '{baseline}': nothing to compare with it")
    row = joined.rows[baseline]
    return others, ranking(row, row.usable, joined.accuracy)
