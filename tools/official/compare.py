"""Compute both codes' scores and summarise them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.ranks import rank
from harness.registry import select_proxies

if TYPE_CHECKING:
    from tools.official.cases import Case
    from tools.official.checkout import Checkout
    from tools.official.comparisons import Comparison


def compare(
    comparisons: Iterable[Comparison],
    checkouts: Mapping[str, Checkout],
    networks: Mapping[str, Sequence[Case]],
    batch_size: int,
    precision: str,
    report: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """One row per comparison.

    The columns: ``proxy``; ``official``, the function; ``repository`` with its ``commit``; ``precision``; ``images`` in
    a mini-batch; ``networks``, those with a finite score of both; ``only_ours`` and ``only_official``, those with a
    finite score of one; ``difference``, the largest relative difference; ``spearman``, NaN if a score is constant;
    ``same``, whether both define the same quantity; ``definition``, where they differ.

    Args:
        comparisons: what to compare.
        checkouts: by name, those of all their repositories.
        networks: by kind, the cases of each kind that the comparisons name.
        batch_size: images in a mini-batch.
        precision: the name of the floating-point type of weights and images.
        report: called with a line before each comparison.
    """
    rows = []
    # Some proxies are compared with several functions.
    known: dict[tuple[str, str, int], list[float]] = {}
    for each in comparisons:
        report(f"{each.proxy}: {each.function}, {precision}")
        checkout, cases = checkouts[each.repository], each.cases(networks, batch_size)
        (proxy,) = select_proxies(each.proxy)
        official = each.official(checkout)
        key = (each.proxy, each.on, len(cases[0].batches[0].images))
        if key not in known:
            known[key] = [case.score(proxy) for case in cases]
        ours, theirs = known[key], [official(case) for case in cases]
        rows.append(
            {
                "proxy": each.proxy,
                "official": each.function,
                "repository": checkout.repository.address,
                "commit": checkout.commit,
                "precision": precision,
                "images": len(cases[0].batches[0].images),
                **summary(ours, theirs),
                "same": each.same,
                "definition": each.definition,
            }
        )
    return pd.DataFrame(rows)


def summary(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """The numbers of networks, the largest relative difference, and Spearman's ρ.

    >>> summary([1.0, 2.0, 4.0, float("inf")], [1.0, 2.0, 5.0, -7.0])
    {'networks': 3, 'only_ours': 0, 'only_official': 1, 'difference': 0.2, 'spearman': 1.0}
    """
    own, other = np.array(ours, dtype=float), np.array(theirs, dtype=float)
    finite, both = (np.isfinite(own), np.isfinite(other)), np.isfinite(own) & np.isfinite(other)
    a, b = own[both], other[both]
    scale = np.maximum(np.maximum(abs(a), abs(b)), np.finfo(float).tiny)
    return {
        "networks": int(both.sum()),
        "only_ours": int((finite[0] & ~finite[1]).sum()),
        "only_official": int((finite[1] & ~finite[0]).sum()),
        "difference": float((abs(a - b) / scale).max()) if len(a) else math.nan,
        "spearman": float(jackknife(rank(a), rank(b))[1].value) if len(a) else math.nan,
    }
