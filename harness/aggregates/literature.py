r"""Rank aggregates from the literature; all are sums over ranks.

:math:`r_p` is the rank of a network in the pool by part p, from 1 for the worst to the pool's size m for the best;
equal scores share the mean of their ranks, as in the official code (the default of ``scipy.stats.rankdata``). Networks
with a part that is not finite are not in the pool. The official code keeps some of them: AZ-NAS replaces NaN by
:math:`-\infty` and ranks it last, and VKDNW replaces an undefined Jacov by the pool's minimum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.contracts.aggregate import aggregate

if TYPE_CHECKING:
    from harness.contracts.aggregate import Floats


@aggregate(
    "te_nas",
    label="TE-NAS",
    parts=("ntk", "linear_regions_thin"),
    cite="chen2021tenas",
    source="AZ-NAS: NB201/tss_general.ipynb; TE-NAS: prune_tenas.py",
)
def te_nas(parts: Mapping[str, Floats]) -> Floats:
    r"""Sum of the ranks by the condition number of the NTK and by the number of linear regions.

    :math:`r_{ntk} + r_{regions}`, where smaller condition numbers rank higher. TE-NAS itself ranks the operations of a
    supernet by the change that removing each causes, with dense ranks. AZ-NAS's comparison ranks networks by the sum;
    this aggregate follows it, but counts regions in thin networks as TE-NAS does, not at full width as AZ-NAS does.
    """
    return _ranks(parts["ntk"]) + _ranks(parts["linear_regions_thin"])


@aggregate(
    "az_nas",
    label="AZ-NAS",
    parts=("az_expressivity", "az_progressivity", "az_trainability", "flops"),
    cite="lee2024aznas",
    source="the non-linear ranking aggregation of the paper; NB201/tss_general.ipynb",
)
def az_nas(parts: Mapping[str, Floats]) -> Floats:
    r"""Sum of the logarithms of the ranks by expressivity, progressivity, trainability and complexity.

    :math:`\sum_p \log (r_p / m)`. The logarithm penalises a low rank in one part more than it rewards a high rank in
    another. Complexity is #FLOPs.
    """
    return _sum_of_logarithms(_ranks(scores) for scores in parts.values())


@aggregate(
    "az_nas_tokens",
    label="AZ-NAS (tokens)",
    parts=("az_expressivity_tokens", "az_trainability_tokens", "flops"),
    cite="lee2024aznas",
    source="the paper's form for transformers; ImageNet_AutoFormer/search_autoformer_az.py",
)
def az_nas_tokens(parts: Mapping[str, Floats]) -> Floats:
    r"""AZ-NAS for transformers: sum of the logarithms of the ranks by expressivity, trainability and complexity.

    :math:`\sum_p \log (r_p / m)`, as ``az_nas``, on tokens and without progressivity, as in the official search on
    AutoFormer.
    """
    return _sum_of_logarithms(_ranks(scores) for scores in parts.values())


@aggregate(
    "vkdnw_agg",
    label="VKDNW (agg)",
    parts=("vkdnw", "jacob_cov", "az_expressivity", "az_trainability", "flops"),
    cite="tybl2025vkdnw",
    source="NB201/tss_utils.py (vkdnw_comb_rank) and NB201/paper_preparation.ipynb",
)
def vkdnw_agg(parts: Mapping[str, Floats]) -> Floats:
    r"""Sum of the logarithms of the ranks by VKDNW, Jacov, expressivity, trainability and complexity.

    :math:`\sum_p \log (r_p / m)`, as ``az_nas`` with VKDNW and Jacov instead of progressivity. As in the official code,
    the rank by VKDNW is dense: networks with equal scores share one rank, and the next score has the next rank. That
    code ranks by the number of layers first, then by the entropy; ``vkdnw`` adds the two, which gives the same order if
    the entropies differ by less than 1.
    """
    ranks = {part: _ranks(scores, "dense" if part == "vkdnw" else "average") for part, scores in parts.items()}
    return _sum_of_logarithms(ranks.values())


def _ranks(scores: Floats, ties: Literal["average", "dense"] = "average") -> Floats:
    """Ascending ranks from 1."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores, method=ties), dtype=np.float64)


def _sum_of_logarithms(ranks: Iterable[Floats]) -> Floats:
    """Σ log(rank / m) over the parts."""
    total: Floats = np.sum([np.log(rank / len(rank)) for rank in ranks], axis=0)
    return total
