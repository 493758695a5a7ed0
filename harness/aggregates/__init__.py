"""Rank aggregates: scores that depend on the pool of networks, computed from the stored scores of proxies."""

from harness.aggregates.literature import az_nas, az_nas_tokens, te_nas, vkdnw_agg
from harness.contracts.aggregate import Aggregate, aggregate

__all__ = ["Aggregate", "aggregate", "az_nas", "az_nas_tokens", "te_nas", "vkdnw_agg"]
