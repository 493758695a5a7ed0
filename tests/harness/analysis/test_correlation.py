"""Kendall's τ-b and Spearman's ρ: equal to scipy's, with each network left out too, and with honest intervals."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis import kendall, spearman
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import MOST_NETWORKS, Jackknife, jackknife
from harness.analysis.statistics.ranks import rank

values = st.one_of(st.integers(0, 4), st.integers(-1000, 1000), st.floats(-1e6, 1e6))
samples = st.lists(st.tuples(values, values), min_size=3, max_size=40).map(lambda pairs: np.array(pairs, dtype=float).T)
both = pytest.mark.parametrize("which", [0, 1], ids=["kendall", "spearman"])


def scipy_coefficients(x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return stats.kendalltau(x, y, variant="b").statistic, stats.spearmanr(x, y).statistic


@given(samples)
def test_the_coefficients_are_scipys(sample):
    expected = scipy_coefficients(*sample)
    np.testing.assert_allclose([kendall(*sample).value, spearman(*sample).value], expected, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(samples.filter(lambda sample: sample.shape[1] > 3))
def test_leaving_one_out_is_computing_without_it(sample):
    expected = [scipy_coefficients(*np.delete(sample, i, axis=1)) for i in range(sample.shape[1])]
    left_out = np.transpose([part.left_out for part in jackknife(rank(sample[0]), rank(sample[1]))])
    np.testing.assert_allclose(left_out, expected, rtol=0, atol=1e-12)


@given(samples)
def test_only_the_order_of_scores_counts(sample):
    x, y = np.round(sample)
    for coefficient in (kendall, spearman):
        assert_same(coefficient(np.cbrt(x) * 5 - 7, np.arctan(y / 1000)), coefficient(x, y))


@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_networks_does_not_count(sample, random):
    order = list(range(sample.shape[1]))
    random.shuffle(order)
    for coefficient in (kendall, spearman):
        assert_same(coefficient(*sample[:, order]), coefficient(*sample))


@given(samples)
def test_turning_the_scores_sign_turns_the_coefficients(sample):
    x, y = sample
    for coefficient in (kendall, spearman):
        turned, straight = coefficient(-x, y), coefficient(x, y)
        np.testing.assert_allclose(
            [turned.value, turned.low, turned.high], [-straight.value, -straight.high, -straight.low], atol=1e-12
        )


@given(samples)
def test_the_interval_holds_the_coefficient_and_stays_within_one(sample):
    for found in (kendall(*sample), spearman(*sample)):
        if not math.isnan(found.low):
            assert -1 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_is_fishers_with_students_t(confidence):
    x, y = correlated(12, 0.8, seed=3)
    for found in (kendall(x, y, confidence), spearman(x, y, confidence)):
        reach = stats.t.ppf((1 + confidence) / 2, 12 - 1) * found.standard_error / (1 - found.value**2)
        bounds = np.tanh(np.arctanh(found.value) + np.array([-reach, reach]))
        np.testing.assert_allclose([found.low, found.high], bounds, rtol=1e-9)


def test_more_confidence_means_a_wider_interval():
    x, y = correlated(60, 0.5, seed=1)
    assert kendall(x, y, 0.99).low < kendall(x, y, 0.9).low < kendall(x, y, 0.9).high < kendall(x, y, 0.99).high


@pytest.mark.parametrize("tied", [False, True])
@both
@pytest.mark.nightly
def test_the_standard_error_is_the_bootstraps(tied, which):
    x, y = correlated(300, 0.75, seed=2)
    x = np.round(2 * x) if tied else x
    random = np.random.default_rng(3)
    resampled = [jackknife(rank(x[i]), rank(y[i]))[which].value for i in random.integers(0, 300, size=(2000, 300))]
    # 2,000 resamples tell a standard error to 1.6 %; the two estimators themselves differ by about 1/√n.
    assert jackknife(rank(x), rank(y))[which].standard_error == pytest.approx(np.std(resampled), rel=0.1)


@pytest.mark.parametrize(
    ("score", "truth"),
    [
        ([], []),
        ([1], [2]),
        ([1, 2], [1, 2]),
        ([5, 5, 5, 5], [1, 2, 3, 4]),
        ([1, 2, 3, 4], [0, 0, 0, 0]),
        ([1] * 3, [1] * 3),
    ],
    ids=["none", "one", "two", "constant score", "constant accuracy", "both constant"],
)
def test_undefined_is_nan_not_zero(score, truth):
    for found in (kendall(score, truth), spearman(score, truth)):
        assert np.isnan([found.value, found.low, found.high, found.standard_error]).all()
        assert found.networks == len(score)


def test_a_coefficient_that_one_network_makes_has_no_interval():
    found = kendall([0, 0, 0, 0, 1], [3, 1, 2, 4, 5])
    assert found.value == pytest.approx(stats.kendalltau([0, 0, 0, 0, 1], [3, 1, 2, 4, 5]).statistic)
    assert math.isnan(found.low) and math.isnan(found.high)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_ranking_is_exactly_one_and_has_no_interval(sign):
    x = np.repeat(np.random.default_rng(0).normal(size=400), [1, 2, 3, 1] * 100)
    for found in (kendall(sign * x, np.exp(x)), spearman(sign * x, np.exp(x))):
        assert found.value == sign
        assert found.standard_error == 0
        assert math.isnan(found.low) and math.isnan(found.high)


def test_rounding_is_not_taken_for_spread():
    assert Jackknife(0.3, np.full(10_001, 0.1) + np.array([0.0, 1e-17] * 5000 + [0.0])).standard_error == 0


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, float("nan")])
def test_a_confidence_outside_zero_to_one_is_refused(confidence):
    with pytest.raises(ValueError, match=r"between 0 and 1, such as 0\.95"):
        kendall([1, 2, 3], [1, 2, 3], confidence)


def test_scores_and_accuracies_must_be_of_the_same_networks():
    with pytest.raises(ValueError, match="3 and 4"):
        kendall([1, 2, 3], [1, 2, 3, 4])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_infinity_are_refused_on_either_side(bad):
    for arguments in (([1, bad, 3], [1, 2, 3]), ([1, 2, 3], [1, bad, 3])):
        with pytest.raises(ValueError, match="NaN or infinite"):
            spearman(*arguments)


def test_the_largest_sums_still_fit_64_bits():
    assert (MOST_NETWORKS**3 - MOST_NETWORKS) // 3 + 4 * MOST_NETWORKS**2 < 2**63


@both
def test_exact_at_the_size_of_nas_bench_101(which):
    x, y = correlated(423_624, 0.7, seed=4)
    x = np.round(3 * x)
    found = jackknife(rank(x), rank(y))[which]
    assert found.value == pytest.approx(scipy_coefficients(x, y)[which], abs=1e-12)
    for item in (0, 211_812, 423_623):
        without = scipy_coefficients(np.delete(x, item), np.delete(y, item))[which]
        # What one network changes is about 1e-6: six digits of it are checked.
        assert found.left_out[item] == pytest.approx(without, rel=0, abs=1e-12)
    assert 0 < estimate(found, 0.95).high - estimate(found, 0.95).low < 0.01


def correlated(networks, correlation, seed):
    x, noise = np.random.default_rng(seed).normal(size=(2, networks))
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def assert_same(one, other):
    for name in ("value", "low", "high", "standard_error", "networks"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-12)
