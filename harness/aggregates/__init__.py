"""Rank aggregates: scores that networks have only beside one another, computed from the stored scores of proxies."""

from harness.aggregates.base import Aggregate, aggregate

__all__ = ["Aggregate", "aggregate"]
