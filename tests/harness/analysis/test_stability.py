"""Stability: τ between runs as scipy computes it, on the networks that all runs share."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined
from scipy.stats import kendalltau, rankdata

from harness.analysis.stability import stability_table
from harness.errors import HarnessError


@pytest.fixture
def three_runs():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    return truth, [truth + rng.normal(size=40) for _ in range(3)]


def test_it_is_tau_between_every_pair_of_runs_and_with_the_truth(three_runs):
    truth, scores = three_runs
    (row,) = stability_table([joined({"p": values}, truth) for values in scores]).to_dict("records")
    between = [kendalltau(a, b).statistic for a, b in combinations(scores, 2)]
    with_truth = [kendalltau(values, truth).statistic for values in scores]
    assert row["between"] == pytest.approx(np.mean(between))
    assert (row["between_lowest"], row["between_highest"]) == pytest.approx((min(between), max(between)))
    assert row["kendall"] == pytest.approx(np.mean(with_truth))
    assert (row["kendall_lowest"], row["kendall_highest"]) == pytest.approx((min(with_truth), max(with_truth)))
    assert row["kendall_deviation"] == pytest.approx(np.std(with_truth, ddof=1))
    mean_rank = np.mean([rankdata(values) for values in scores], axis=0)
    assert row["kendall_of_mean_rank"] == pytest.approx(kendalltau(mean_rank, truth).statistic)
    assert (row["runs"], row["networks"]) == (3, 40)


def test_averaging_over_seeds_ranks_better_than_one_seed(three_runs):
    truth, scores = three_runs
    (row,) = stability_table([joined({"p": values}, truth) for values in scores]).to_dict("records")
    assert row["kendall_of_mean_rank"] > row["kendall_highest"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=3, max_size=12).filter(lambda values: len(set(values)) > 1))
def test_a_monotone_map_of_one_runs_scores_changes_nothing(values):
    truth = np.arange(len(values))
    plain, mapped = ([joined({"p": values}, truth), joined({"p": f(values)}, truth)] for f in (np.array, np.exp))
    pd.testing.assert_frame_equal(stability_table(plain), stability_table(mapped))
    assert stability_table(plain)["between"].item() == pytest.approx(1)


def test_only_networks_that_are_finite_in_every_run_count():
    first = joined({"p": [1, 2, 3, np.nan, 5]}, [1, 2, 3, 4, 5])
    second = joined({"p": [3, 2, 1, 9]}, [2, 3, 4, 5], ["a1", "a2", "a3", "a4"])
    row = stability_table([first, second]).to_dict("records")[0]
    assert row["networks"] == 3
    assert row["between"] == pytest.approx(kendalltau([2, 3, 5], [3, 2, 9]).statistic)


def test_a_proxy_that_one_run_alone_has_is_left_out():
    runs = [joined({"p": [1, 2, 3], "only": [1, 2, 3]}, [1, 2, 3]), joined({"p": [1, 3, 2]}, [1, 2, 3])]
    assert list(stability_table(runs)["proxy"]) == ["p"]


def test_most_stable_first_and_undefined_last():
    truth = [1, 2, 3, 4]
    first = joined({"noisy": [1, 2, 3, 4], "constant": [1, 1, 1, 1], "fixed": [1, 2, 3, 4]}, truth)
    second = joined({"noisy": [2, 1, 4, 3], "constant": [1, 1, 1, 1], "fixed": [1, 2, 3, 4]}, truth)
    assert list(stability_table([first, second])["proxy"]) == ["fixed", "noisy", "constant"]


def test_one_run_is_refused():
    with pytest.raises(HarnessError, match="two or more"):
        stability_table([joined({"p": [1, 2]}, [1, 2])])


def test_runs_without_a_common_network_are_refused():
    with pytest.raises(HarnessError, match="same sample"):
        stability_table([joined({"p": [1, 2]}, [1, 2], ["a", "b"]), joined({"p": [1, 2]}, [1, 2], ["c", "d"])])
