"""Beyond size: coefficients within strata and with size held constant, against brute force and regression."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined
from scipy.stats import kendalltau, rankdata

from harness.analysis.beyond_size import beyond_table, exact_strata, kendall_within, partial, strata_of
from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

triples = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)), min_size=3, max_size=14).map(
    lambda rows: np.array(rows).T
)


def brute_within(x, y, strata):
    """Over all pairs of one stratum."""
    agreement = untied_x = untied_y = 0
    for i, j in combinations(range(len(x)), 2):
        if strata[i] == strata[j]:
            s, t = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
            agreement, untied_x, untied_y = agreement + s * t, untied_x + s * s, untied_y + t * t
    return agreement / math.sqrt(untied_x * untied_y) if untied_x * untied_y else math.nan


@settings(deadline=None)
@given(triples)
def test_tau_within_strata_is_over_their_pairs_alone(sample):
    x, y, strata = sample
    found = kendall_within(rank(x), rank(y), strata_of(rank(strata)))
    assert found.value == pytest.approx(brute_within(x, y, strata), nan_ok=True)
    without = [brute_within(*np.delete(sample, i, axis=1)) for i in range(len(x))]
    np.testing.assert_allclose(found.left_out, without, atol=1e-12)


@given(triples)
def test_with_one_stratum_it_is_tau(sample):
    x, y, _ = sample
    found = kendall_within(rank(x), rank(y), np.zeros(len(x), dtype=np.int64))
    expected, _ = jackknife(rank(x), rank(y))
    assert found.value == pytest.approx(expected.value, nan_ok=True)
    np.testing.assert_allclose(found.left_out, expected.left_out)


@settings(deadline=None, max_examples=30)
@given(triples, st.randoms(use_true_random=False))
def test_neither_monotone_maps_nor_the_order_of_networks_count(sample, random):
    x, y, z = sample.astype(float)
    plain = beyond_table(joined({"p": x, "params": z}, y))
    pd.testing.assert_frame_equal(plain, beyond_table(joined({"p": np.exp(x), "params": z**3 + z}, np.arctan(y))))
    order = list(range(len(x)))
    random.shuffle(order)
    shuffled = beyond_table(joined({"p": x[order], "params": z[order]}, y[order]))
    pd.testing.assert_frame_equal(plain, shuffled)


def test_a_score_that_is_size_says_nothing_within_strata():
    size = np.repeat([1.0, 2.0, 3.0], 10)
    truth = size + np.random.default_rng(0).normal(size=30)
    row = beyond_table(joined({"flops": 2 * size, "params": size}, truth)).iloc[0]
    assert row["kendall"] > 0.3
    assert np.isnan(row["within"])
    assert np.isnan(row["partial_kendall"])


def test_what_is_held_constant_can_be_any_proxy():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=300)
    first = truth + rng.normal(size=300)
    table = beyond_table(
        joined(
            {"first": first, "copy": first + 0.01 * rng.normal(size=300), "other": truth + rng.normal(size=300)}, truth
        ),
        "first",
    )
    assert list(table["proxy"]) == ["other", "copy"]
    copy, other = (table[table["proxy"] == name].iloc[0] for name in ("copy", "other"))
    assert copy["partial_spearman_low"] < 0 < copy["partial_spearman_high"]
    assert other["partial_spearman_low"] > 0


def test_partial_spearman_is_the_correlation_of_what_regression_on_the_ranks_leaves():
    rng = np.random.default_rng(2)
    z = rng.normal(size=80)
    x, y = z + rng.normal(size=80), z + rng.normal(size=80)
    ranks = np.array([rankdata(values) for values in (x, y, z)])
    design = np.c_[np.ones(80), ranks[2]]
    rest = [values - design @ np.linalg.lstsq(design, values)[0] for values in ranks[:2]]
    row = beyond_table(joined({"p": x, "params": z}, y)).iloc[0]
    assert row["partial_spearman"] == pytest.approx(np.corrcoef(rest)[0, 1])


def test_partial_tau_is_kendalls_formula_with_each_network_left_out():
    sample = np.random.default_rng(3).integers(0, 9, size=(3, 12))
    x, y, z = (rank(values) for values in sample)
    found = partial(jackknife(x, y)[0], jackknife(x, z)[0], jackknife(y, z)[0])

    def formula(a, b, c):
        ab, ac, bc = (kendalltau(*pair).statistic for pair in ((a, b), (a, c), (b, c)))
        return (ab - ac * bc) / math.sqrt((1 - ac**2) * (1 - bc**2))

    assert found.value == pytest.approx(formula(*sample))
    np.testing.assert_allclose(found.left_out, [formula(*np.delete(sample, i, axis=1)) for i in range(12)])


def test_intervals_of_the_partial_tau_hold_its_value_as_often_as_they_say():
    rng = np.random.default_rng(4)

    def draw(n):
        z = rng.normal(size=n)
        return joined({"p": z + rng.normal(size=n), "params": np.round(z)}, z + rng.normal(size=n))

    population = beyond_table(draw(100_000)).iloc[0]
    rows = pd.concat([beyond_table(draw(100)) for _ in range(300)])
    for name in ("within", "partial_kendall", "partial_spearman"):
        held = ((rows[f"{name}_low"] <= population[name]) & (population[name] <= rows[f"{name}_high"])).mean()
        # Three standard errors of a share of 0.95 among 300 are 0.038.
        assert 0.912 <= held <= 0.988, name


def test_many_values_are_cut_into_bins_that_keep_equals_together():
    values = rank(np.r_[np.arange(150), np.full(50, 7)])
    assert not exact_strata(values)
    strata = strata_of(values)
    assert len(np.unique(strata)) <= 20
    assert len({*strata[150:], strata[7]}) == 1


def test_bins_can_be_asked_for():
    assert strata_of(rank(np.arange(10)), 2).tolist() == [0] * 5 + [1] * 5
    with pytest.raises(HarnessError, match="1 or more"):
        strata_of(rank(np.arange(10)), 0)


def test_only_networks_with_both_scores_count():
    table = beyond_table(joined({"p": [1, 2, np.nan, 4], "params": [1, 1, 1, np.nan]}, [1, 2, 3, 4]))
    assert table["networks"].item() == 2


def test_what_was_not_scored_cannot_be_held_constant():
    with pytest.raises(HarnessError, match="no scores of 'params'"):
        beyond_table(joined({"p": [1, 2, 3]}, [1, 2, 3]))
