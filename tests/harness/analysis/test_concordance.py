"""Per-item concordance equals the double loop that defines it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.statistics.concordance import concordance, smaller_before
from harness.analysis.statistics.ranks import rank

values = st.one_of(st.integers(0, 3), st.integers(-50, 50), st.floats(-1e300, 1e300))
pairs_of_values = st.lists(st.tuples(values, values), max_size=70)


@given(pairs_of_values)
def test_equals_the_double_sum_of_signs(pairs):
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    expected = (signs(x) * signs(y)).sum(axis=1)
    np.testing.assert_array_equal(concordance(rank(x), rank(y)), expected)


@given(st.integers(0, 200).flatmap(lambda n: st.permutations(range(n))))
def test_smaller_before_counts_earlier_smaller_elements(permutation):
    expected = [sum(earlier < element for earlier in permutation[:i]) for i, element in enumerate(permutation)]
    assert smaller_before(np.array(permutation, dtype=np.int64)).tolist() == expected


@given(pairs_of_values)
def test_ranks_count_the_smaller_and_the_equal(pairs):
    x = np.array(pairs, dtype=float).reshape(-1, 2)[:, 0]
    ranks = rank(x)
    np.testing.assert_array_equal(ranks.start, (x[:, None] > x).sum(axis=1))
    np.testing.assert_array_equal(ranks.ties, (x[:, None] == x).sum(axis=1))
    np.testing.assert_array_equal(ranks.centred, signs(x).sum(axis=1))
    assert ranks.distinct == len(set(x.tolist()))
    assert ranks.tied_pairs == ((x[:, None] == x).sum() - len(x)) // 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_has_no_rank_is_refused(bad):
    with pytest.raises(ValueError, match="1 of 3 values are NaN or infinite"):
        rank([1.0, bad, 2.0])


def test_a_table_is_not_a_ranking():
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        rank([[1.0, 2.0], [3.0, 4.0]])


def signs(x):
    return (x[:, None] > x).astype(int) - (x[:, None] < x).astype(int)
