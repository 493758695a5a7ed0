"""Which proxies rank the networks better than which others? Every pair compared on the same networks."""

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
    """Paired differences of τ-b and ρ between proxies, from the jackknife, corrected for how many there are.

    The columns of the result, one row for each pair:

    * ``first``, ``second``: the pair, the one with the larger τ-b on all its own networks first; with ``against``,
      that one is always second.
    * ``networks``: those with a finite score of both, on which everything that follows is computed.
    * ``kendall_first``, ``kendall_second``: τ-b of both, and ``kendall_difference``, first minus second, with its
      paired bounds ``kendall_low`` and ``kendall_high``.
    * ``kendall_p``: two-sided, for no difference; ``kendall_p_holm`` and ``kendall_p_bh``: corrected for all pairs of
      the table by :func:`~harness.analysis.statistics.multiplicity.holm` and
      :func:`~harness.analysis.statistics.multiplicity.benjamini_hochberg`.
    * the same columns of ρ with ``spearman`` for ``kendall``; its p-values are a family of their own.

    NaN where a coefficient or the spread of the difference is undefined; such pairs do not count in the correction.

    The left-out values of a proxy are computed once for each set of networks that it shares with others, and a
    comparison is a subtraction.

    Args:
        joined: scores beside the accuracies.
        rows: what is compared, of :attr:`~harness.analysis.joined.Joined.rows`; all of them unless given.
        against: compare the others with this one alone.
        confidence: of the intervals.

    Raises:
        HarnessError: if there are no two rows to compare, or no scores of what is asked for.
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
    """Each pair with its row, those on the same networks one after another so that coefficients serve all of them."""
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
