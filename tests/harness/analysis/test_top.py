"""The top p %: which networks those are, and that coefficients on them are those of a sample of their own."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined
from scipy.stats import kendalltau, spearmanr

from harness.analysis import compare, kendall
from harness.analysis.top import share_size, top_share, top_table
from harness.errors import HarnessError


@pytest.fixture
def hundred():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=100)
    return joined({"params": np.round(truth + rng.normal(size=100)), "p": truth + rng.normal(size=100)}, truth)


def row(table, proxy, percent):
    (found,) = table[(table["proxy"] == proxy) & (table["percent"] == percent)].to_dict("records")
    return found


def test_selected_by_truth_it_is_tau_among_the_most_accurate(hundred):
    best = np.argsort(-hundred.accuracy)[:20]
    found = row(top_table(hundred, [100, 20]), "p", 20)
    scores = hundred.proxies["p"].value[best]
    assert found["networks"] == 20
    assert found["kendall"] == pytest.approx(kendalltau(scores, hundred.accuracy[best]).statistic)
    assert found["spearman"] == pytest.approx(spearmanr(scores, hundred.accuracy[best]).statistic)
    interval = kendall(scores, hundred.accuracy[best])
    assert (found["kendall_low"], found["kendall_high"]) == (interval.low, interval.high)


def test_selected_by_truth_the_difference_is_the_paired_one(hundred):
    best = np.argsort(-hundred.accuracy)[:20]
    found = row(top_table(hundred, [20]), "p", 20)
    expected = compare(hundred.proxies["p"].value[best], hundred.proxies["params"].value[best], hundred.accuracy[best])
    assert (found["difference"], found["difference_low"], found["p_value"], found["verdict"]) == (
        expected.difference,
        expected.low,
        expected.p_value,
        expected.verdict,
    )
    assert row(top_table(hundred, [20]), "params", 20)["verdict"] == "baseline"


def test_selected_by_proxy_it_is_tau_among_those_that_the_proxy_would_choose(hundred):
    scores = hundred.proxies["p"].value
    best = np.argsort(-scores)[:10]
    found = row(top_table(hundred, [10], by="proxy"), "p", 10)
    assert found["kendall"] == pytest.approx(kendalltau(scores[best], hundred.accuracy[best]).statistic)
    assert (found["verdict"], found["by"]) == ("not compared", "proxy")
    assert np.isnan(found["difference"])


def test_networks_tied_with_the_last_are_included():
    table = top_table(joined({"p": [5, 4, 4, 4, 1, 0]}, [1, 2, 3, 4, 5, 6]), [100, 34], by="proxy")
    assert row(table, "p", 34)["networks"] == 4


def test_over_all_networks_both_selections_are_the_same(hundred):
    for name in ("p", "params"):
        by_truth, by_proxy = (row(top_table(hundred, [100], by=by), name, 100) for by in ("truth", "proxy"))
        assert by_truth["kendall"] == by_proxy["kendall"]


def test_the_cut_by_truth_does_not_move_where_a_proxy_lacks_scores():
    accuracy = np.arange(20.0)
    scores = accuracy.copy()
    scores[18:] = np.nan
    found = row(top_table(joined({"p": scores, "params": accuracy}, accuracy), [25]), "p", 25)
    assert found["networks"] == 3
    assert found["kendall"] == 1


def test_without_the_baseline_nothing_is_compared(hundred):
    assert set(top_table(hundred, [50], baseline="flops")["verdict"]) == {"no baseline"}


def test_rows_stand_by_tau_over_the_largest_share():
    table = top_table(joined({"bad": [4, 3, 2, 1], "good": [1, 2, 3, 4]}, [1, 2, 3, 4]), [75, 100])
    assert list(table["proxy"]) == ["good", "good", "bad", "bad"]
    assert list(table["percent"]) == [100, 75, 100, 75]


@pytest.mark.parametrize("shares", [[0], [101], [-5, 10], []])
def test_a_share_that_is_none_is_refused(hundred, shares):
    with pytest.raises(HarnessError, match="above 0, up to 100"):
        top_table(hundred, shares)


values = st.lists(st.tuples(st.integers(-3, 3), st.integers(-20, 20)), min_size=4, max_size=25)


@settings(max_examples=30, deadline=None)
@given(values, st.sampled_from([100, 50, 20]), st.sampled_from(["truth", "proxy"]), st.randoms(use_true_random=False))
def test_neither_a_monotone_map_nor_the_order_of_networks_counts(pairs, share, by, random):
    scores, accuracy = np.array(pairs, dtype=float).T
    plain = top_table(joined({"p": scores}, accuracy), [share], by=by)
    mapped = top_table(joined({"p": np.exp(scores)}, np.cbrt(accuracy)), [share], by=by)
    pd.testing.assert_frame_equal(plain, mapped)
    order = list(range(len(pairs)))
    random.shuffle(order)
    shuffled = top_table(joined({"p": scores[order]}, accuracy[order]), [share], by=by)
    pd.testing.assert_frame_equal(plain, shuffled)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.floats(0.5, 100))
def test_the_top_is_no_smaller_than_asked_for_and_nobody_outside_is_as_good(values, percent):
    array = np.array(values, dtype=float)
    inside = top_share(array, percent)
    assert inside.sum() >= share_size(len(values), percent)
    assert array[~inside].max(initial=-1) < array[inside].min()
    strictly_above = array > array[inside].min()
    assert strictly_above.sum() < share_size(len(values), percent)
