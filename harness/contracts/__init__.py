"""What third parties implement: benchmarks, proxies and rank aggregates."""

from harness.contracts.aggregate import Aggregate, aggregate
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.contracts.proxy import Proxy, ProxyFacts, proxy
from harness.contracts.search_space import Block, NeighbourSpace, PlaceSpace, SearchSpace

__all__ = [
    "Aggregate",
    "Benchmark",
    "Block",
    "Costs",
    "GroundTruth",
    "NeighbourSpace",
    "PlaceSpace",
    "Proxy",
    "ProxyFacts",
    "SearchSpace",
    "aggregate",
    "proxy",
]
