"""Which proxies rank better than which others: every pair compared on the same networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness._utils.names import listed
from harness.analysis.statistics.comparison import difference_test
from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.multiplicity import benjamini_hochberg, holm
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.analysis.joined import Joined
    from harness.analysis.scores import ProxyScores

COEFFICIENTS = ("kendall", "spearman")
OF_EACH = ("first", "second", "difference", "low", "high", "p", "p_holm", "p_bh")
COLUMNS = ("first", "second", "networks", *(f"{name}_{part}" for name in COEFFICIENTS for part in OF_EACH))

Coefficients = tuple[Jackknife, Jackknife]
Pair = tuple[str, str]


def pair_table(
    joined: Joined, rows: Iterable[str] | None = None, against: str | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Paired differences of τ-b and ρ between proxies by the jackknife, corrected for the number of comparisons.

    The columns of the result, one row per pair:

    * ``first``, ``second``: the pair, the one with the larger τ-b on all its own networks first; with ``against``,
      that one is always second.
    * ``networks``: the number with a finite score of both, from which everything that follows is computed.
    * ``kendall_first``, ``kendall_second``: τ-b of both, and ``kendall_difference``, first minus second, with its
      paired bounds ``kendall_low`` and ``kendall_high``.
    * ``kendall_p``: two-sided p-value for no difference; ``kendall_p_holm`` and ``kendall_p_bh``: corrected for all
      pairs of the table by :func:`~harness.analysis.statistics.multiplicity.holm` and
      :func:`~harness.analysis.statistics.multiplicity.benjamini_hochberg`.
    * the same columns for ρ, with ``spearman`` instead of ``kendall``; its p-values are corrected separately.

    NaN if a coefficient or the spread of the difference is undefined; such pairs do not count in the correction.

    The leave-one-out values of a proxy are computed once per set of networks that it shares with others, so a
    comparison is one subtraction.

    Args:
        joined: scores and accuracies.
        rows: names from :attr:`~harness.analysis.joined.Joined.rows` to compare; all of them by default.
        against: compare the others only with this row.
        confidence: of the intervals.

    Raises:
        HarnessError: if there are fewer than two rows to compare, or no scores of a requested row.
    """
    scores = _scores(joined, rows, against)
    accuracy = joined.accuracy
    taus = _taus(scores, accuracy)
    ordered = sorted(scores, key=lambda name: math.inf if math.isnan(taus[name]) else -taus[name])
    pairs = (
        list(combinations(ordered, 2)) if against is None else [(name, against) for name in ordered if name != against]
    )
    found = dict(_compared(scores, accuracy, pairs, confidence))
    table = pd.DataFrame([found[pair] for pair in pairs], columns=list(COLUMNS))
    for name in COEFFICIENTS:
        table[f"{name}_p_holm"] = holm(table[f"{name}_p"])
        table[f"{name}_p_bh"] = benjamini_hochberg(table[f"{name}_p"])
    return table


def _scores(joined: Joined, rows: Iterable[str] | None, against: str | None) -> dict[str, ProxyScores]:
    names = list(joined.rows) if rows is None else list(dict.fromkeys(rows))
    if against is not None and against not in names:
        names.append(against)
    for name in names:
        if name not in joined.rows:
            raise HarnessError(f"there are no scores of '{name}'; there are scores of {listed(joined.rows)}")
    if len(names) < 2:
        raise HarnessError(f"a comparison needs two proxies, but there are scores of {', '.join(names) or 'none'} only")
    return {name: joined.rows[name] for name in names}


def _compared(
    scores: Mapping[str, ProxyScores], accuracy: Floats, pairs: Sequence[Pair], confidence: float
) -> Iterator[tuple[Pair, dict[str, Any]]]:
    """Each pair with its row, grouped by common networks so that coefficients are shared within a group."""
    by_networks: dict[bytes, list[Pair]] = {}
    for first, second in pairs:
        common = scores[first].usable & scores[second].usable
        by_networks.setdefault(np.packbits(common).tobytes(), []).append((first, second))
    for group in by_networks.values():
        first, second = group[0]
        common = scores[first].usable & scores[second].usable
        names = sorted({name for pair in group for name in pair})
        truth = rank(accuracy[common])
        coefficients = {name: jackknife(rank(scores[name].value[common]), truth) for name in names}
        for one, other in group:
            row = {"first": one, "second": other, "networks": int(np.count_nonzero(common))}
            yield (one, other), row | _differences(coefficients[one], coefficients[other], confidence)


def _taus(scores: Mapping[str, ProxyScores], accuracy: Floats) -> dict[str, float]:
    """τ-b of each proxy on all networks that it has a finite score for."""
    return {
        name: jackknife(rank(proxy.value[proxy.usable]), rank(accuracy[proxy.usable]))[0].value
        for name, proxy in scores.items()
    }


def _differences(first: Coefficients, second: Coefficients, confidence: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, one, other in zip(COEFFICIENTS, first, second, strict=True):
        difference = difference_test(one - other, confidence)
        found |= {
            f"{name}_first": one.value,
            f"{name}_second": other.value,
            f"{name}_difference": difference.value,
            f"{name}_low": difference.low,
            f"{name}_high": difference.high,
            f"{name}_p": difference.p_value,
        }
    return found
