"""The paired comparison of two proxies on the same networks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.analysis import compare, kendall, spearman

values = st.one_of(st.integers(0, 4), st.floats(-1000, 1000))
triples = st.lists(st.tuples(values, values, values), min_size=3, max_size=40).map(
    lambda rows: np.array(rows, dtype=float).T
)


@given(triples)
def test_the_difference_is_that_of_the_coefficients(triple):
    score, baseline, truth = triple
    found = compare(score, baseline, truth)
    for difference, coefficient in ((found.difference, kendall), (found.spearman_difference, spearman)):
        expected = coefficient(score, truth).value - coefficient(baseline, truth).value
        np.testing.assert_allclose(difference, expected, atol=1e-12)


@given(triples)
def test_a_proxy_ties_with_itself_and_with_what_ranks_alike(triple):
    score, _, truth = np.round(triple)
    found = compare(score, 3 * score**3, truth)
    if math.isnan(kendall(score, truth).standard_error):
        assert found.verdict == "undefined"
    else:
        assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
        assert found.verdict == "tie"


@given(triples)
def test_the_comparison_is_antisymmetric(triple):
    score, baseline, truth = triple
    there, back = compare(score, baseline, truth), compare(baseline, score, truth)
    np.testing.assert_allclose([there.difference, there.low, there.high], [-back.difference, -back.high, -back.low])
    np.testing.assert_allclose(there.p_value, back.p_value)
    assert {"win": "loss", "loss": "win"}.get(there.verdict, there.verdict) == back.verdict


@given(triples, st.sampled_from([0.8, 0.95]))
def test_the_verdict_follows_from_the_p_value_too(triple, confidence):
    found = compare(*triple, confidence)
    if found.verdict == "undefined":
        assert math.isnan(found.p_value)
    elif not math.isclose(found.p_value, 1 - confidence, rel_tol=1e-6):
        assert (found.verdict in ("win", "loss")) == (found.p_value < 1 - confidence)


@pytest.mark.parametrize("networks", [5, 12])
def test_the_p_value_is_the_level_at_which_the_interval_ends_at_zero(networks):
    score, baseline, truth = two_scores(networks, (0.9, 0.3), seed=1)
    found = compare(score, baseline, truth)
    assert 0 < found.p_value < 1
    at_that_level = compare(score, baseline, truth, 1 - found.p_value)
    assert min(abs(at_that_level.low), abs(at_that_level.high)) < 1e-9


def test_a_clear_win_and_a_clear_loss():
    score, baseline, truth = two_scores(500, (0.9, 0.5), seed=0)
    assert compare(score, baseline, truth).verdict == "win"
    assert compare(baseline, score, truth).verdict == "loss"


def test_a_constant_score_cannot_be_compared():
    found = compare([1, 1, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4])
    assert np.isnan([found.difference, found.low, found.high, found.p_value]).all()
    assert found.verdict == "undefined"


def test_a_difference_without_spread_cannot_be_judged():
    found = compare([1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 3, 4])
    assert found.difference == 2
    assert found.verdict == "undefined"
    assert np.isnan([found.low, found.high, found.p_value]).all()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.nightly
def test_the_interval_is_the_paired_bootstraps(tied):
    score, baseline, truth = two_scores(300, (0.8, 0.7), seed=1)
    baseline = np.round(2 * baseline) if tied else baseline
    found = compare(score, baseline, truth)
    resampled = [
        compare(score[i], baseline[i], truth[i]).difference
        for i in np.random.default_rng(2).integers(0, 300, size=(2000, 300))
    ]
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.std(resampled), rel=0.1)


def test_pairing_tells_what_two_separate_intervals_cannot():
    score, baseline, truth = two_scores(300, (0.8, 0.75), seed=3, shared=0.9)
    ours, theirs = kendall(score, truth), kendall(baseline, truth)
    assert ours.low < theirs.high
    assert compare(score, baseline, truth).verdict == "win"


def test_exchangeable_proxies_are_told_apart_as_often_as_the_level_allows():
    draws = 2000
    found = [compare(*two_scores(80, (0.7, 0.7), seed=seed)) for seed in range(draws)]
    decided = sum(comparison.verdict != "tie" for comparison in found)
    # Five standard deviations of a binomial count around the nominal 5 % of 2,000 draws: 51 to 149.
    assert abs(decided - 0.05 * draws) < 5 * math.sqrt(draws * 0.05 * 0.95)
    wins = sum(comparison.verdict == "win" for comparison in found)
    assert stats.binomtest(wins, decided).pvalue > 1e-4
    assert stats.kstest([comparison.p_value for comparison in found], "uniform").pvalue > 1e-4


def two_scores(networks, correlations, seed, shared=0.5):
    random = np.random.default_rng(seed)
    truth, common = random.normal(size=(2, networks))
    scores = []
    for correlation in correlations:
        noise = math.sqrt(shared) * common + math.sqrt(1 - shared) * random.normal(size=networks)
        scores.append(correlation * truth + math.sqrt(1 - correlation**2) * noise)
    return *scores, truth
