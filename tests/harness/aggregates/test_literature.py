"""Rank aggregates: equal to their formulas written as loops, and unchanged by what ranks do not see."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.aggregates import aggregate
from harness.aggregates.literature import az_nas, az_nas_tokens, te_nas, vkdnw_agg
from harness.errors import HarnessError
from harness.registry import proxies

ALL = [te_nas, az_nas, az_nas_tokens, vkdnw_agg]
EVERY = pytest.mark.parametrize("aggregate", ALL, ids=lambda aggregate: aggregate.name)
SCORES = st.integers(1, 30).flatmap(
    lambda m: arrays(float, (5, m), elements=st.integers(-5, 5).map(float) | st.floats(-1e6, 1e6))
)


def average_rank(scores, i):
    """1 for the lowest; equal scores share the mean of the places they take."""
    below, equal = sum(s < scores[i] for s in scores), sum(s == scores[i] for s in scores)
    return below + (equal + 1) / 2


def dense_rank(scores, i):
    return 1 + len({s for s in scores if s < scores[i]})


def by_hand(aggregate, parts):
    m = len(next(iter(parts.values())))
    if aggregate is te_nas:
        return [sum(average_rank(scores, i) for scores in parts.values()) for i in range(m)]
    ranks = {part: dense_rank if part == "vkdnw" else average_rank for part in parts}
    return [sum(math.log(ranks[part](scores, i) / m) for part, scores in parts.items()) for i in range(m)]


def parts_of(aggregate, rows):
    return dict(zip(aggregate.parts, rows, strict=False))


@EVERY
@settings(deadline=None)
@given(rows=SCORES)
def test_it_is_its_formula(aggregate, rows):
    parts = parts_of(aggregate, rows)
    assert aggregate(parts) == pytest.approx(by_hand(aggregate, parts), rel=1e-12, abs=1e-12)


@EVERY
@settings(deadline=None)
@given(rows=SCORES)
def test_only_the_order_of_each_part_counts(aggregate, rows):
    parts = parts_of(aggregate, rows)
    stretched = {part: np.arcsinh(scores) * 3 + 1 for part, scores in parts.items()}
    distinct = all(len(set(stretched[part])) == len(set(parts[part])) for part in parts)
    if distinct:
        assert aggregate(stretched).tolist() == aggregate(parts).tolist()


@EVERY
def test_the_network_that_is_best_in_every_part_has_the_highest_score(aggregate):
    parts = {part: np.array([1.0, 3.0, 2.0]) for part in aggregate.parts}
    scores = aggregate(parts)
    assert scores.argsort().tolist() == [0, 2, 1]
    assert scores[1] == (2 * 3 if aggregate is te_nas else 0)


@EVERY
def test_another_pool_gives_a_network_another_score(aggregate):
    """The reason why no store keeps it: the score falls, though the network is the same."""
    rows = np.random.default_rng(0).normal(size=(5, 50))
    small = aggregate(parts_of(aggregate, rows[:, :20]))
    large = aggregate(parts_of(aggregate, rows))
    assert not np.allclose(small, large[:20])


def test_the_dense_rank_of_vkdnw_differs_where_networks_share_a_score():
    tied = {part: np.array([1.0, 1.0, 2.0]) for part in vkdnw_agg.parts}
    others = 4 * math.log(1.5 / 3)
    assert vkdnw_agg(tied)[0] == pytest.approx(others + math.log(1 / 3))
    assert vkdnw_agg(tied)[2] == pytest.approx(math.log(2 / 3))


def test_a_part_that_is_missing_is_named():
    with pytest.raises(HarnessError, match="'te_nas' needs the scores of 'linear_regions_thin'"):
        te_nas({"ntk": np.ones(3)})


def test_one_number_for_each_network_is_asked_for():
    @aggregate("best", parts=("snip",), cite="nobody2026")
    def best(parts):
        """The best of all."""
        return parts["snip"].max()

    with pytest.raises(HarnessError, match="one number per network"):
        best({"snip": np.ones(3)})


def test_where_lower_is_better_the_sign_is_turned():
    @aggregate("rank_of_snip", better="lower", parts=("snip",), cite="nobody2026")
    def rank_of_snip(parts):
        """Place of each network, from the first."""
        return parts["snip"].argsort()[::-1].argsort()

    assert rank_of_snip({"snip": np.array([5.0, 9.0, 7.0])}).argmax() == 1


@EVERY
def test_its_facts_are_declared(aggregate):
    assert aggregate.better == "higher"
    assert aggregate.label and aggregate.source
    assert aggregate.summary.endswith(".") and len(aggregate.summary) <= 115
    assert aggregate.name not in proxies()
