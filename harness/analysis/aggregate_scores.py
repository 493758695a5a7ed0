"""Rank aggregates over a set of networks: the pool is the networks for which every part is finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from harness.analysis.scores import STATUSES, ProxyScores
from harness.contracts.aggregate import Aggregate


def aggregate_scores(aggregates: Iterable[Aggregate], proxies: Mapping[str, ProxyScores]) -> dict[str, ProxyScores]:
    """The scores of every aggregate whose parts were all scored, over the pool of these architectures.

    A network outside the pool has the status of its first part that is not finite.

    Args:
        aggregates: the aggregates to compute.
        proxies: every proxy's scores of the same architectures, oriented so that higher is better.
    """
    return {
        aggregate.name: _pooled(aggregate, proxies)
        for aggregate in aggregates
        if all(part in proxies and proxies[part].networks > 0 for part in aggregate.parts)
    }


def _pooled(aggregate: Aggregate, proxies: Mapping[str, ProxyScores]) -> ProxyScores:
    parts = {name: proxies[name] for name in aggregate.parts}
    pool = np.logical_and.reduce([part.usable for part in parts.values()])
    value = np.full(len(pool), np.nan)
    if pool.any():
        value[pool] = aggregate({name: part.value[pool] for name, part in parts.items()})
    status = np.full(len(pool), STATUSES.index("ok"), dtype=np.int8)
    for part in reversed(parts.values()):
        status = np.where(part.usable, status, part.status).astype(np.int8)
    return ProxyScores(value, status)
