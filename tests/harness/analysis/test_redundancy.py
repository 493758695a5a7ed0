"""Agreement between proxies is scipy's τ of each pair; the nearest is told, and what is added to it."""

import numpy as np
import pandas as pd
import pytest
from made_up import joined
from scipy.stats import kendalltau

from harness.analysis.redundancy import agreement_matrix, clustered, redundancy_table
from harness.errors import HarnessError


@pytest.fixture
def four():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    one, two = truth + rng.normal(size=(2, 200))
    some = two.copy()
    some[:20] = np.nan
    scores = {"one": one, "like one": -one + 0.05 * rng.normal(size=200), "two": two, "like two": some}
    return joined(scores, truth)


def test_every_pair_is_scipys_tau_where_both_are_finite(four):
    matrix = agreement_matrix(four)
    for first in matrix.index:
        for second in matrix.columns:
            both = four.proxies[first].usable & four.proxies[second].usable
            expected = kendalltau(four.proxies[first].value[both], four.proxies[second].value[both]).statistic
            assert matrix.loc[first, second] == pytest.approx(expected)


def test_like_proxies_stand_side_by_side_whatever_their_sign(four):
    order = list(agreement_matrix(four).index)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {
        frozenset({"one", "like one"}),
        frozenset({"two", "like two"}),
    }


def test_the_nearest_is_the_largest_agreement_with_its_sign(four):
    table = redundancy_table(four, agreement_matrix(four)).set_index("proxy")
    assert dict(table["nearest"]) == {"one": "like one", "like one": "one", "two": "like two", "like two": "two"}
    assert table.loc["one", "agreement"] < -0.9
    assert table.loc["like two", "agreement"] == 1


def test_a_copy_adds_nothing_and_an_independent_score_does():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=500)
    first = truth + rng.normal(size=500)
    scores = {"first": first, "noisy copy": first + 0.3 * rng.normal(size=500), "own": truth + rng.normal(size=500)}
    data = joined(scores, truth)
    table = redundancy_table(data, agreement_matrix(data)).set_index("proxy")
    assert table.loc["noisy copy", "partial_spearman_low"] < 0 < table.loc["noisy copy", "partial_spearman_high"]
    assert table.loc["noisy copy", "partial_kendall_low"] > 0
    assert table.loc["own", "partial_spearman_low"] > 0.1


def test_a_constant_score_has_neither_agreement_nor_nearest():
    data = joined({"constant": [1, 1, 1, 1], "a": [1, 2, 3, 4], "b": [1, 2, 4, 3]}, [1, 2, 3, 4])
    matrix = agreement_matrix(data)
    assert matrix["constant"].isna().all()
    table = redundancy_table(data, matrix).set_index("proxy")
    assert table.loc["constant", "nearest"] is None or pd.isna(table.loc["constant", "nearest"])
    assert table.loc["a", "nearest"] == "b"


def test_with_too_many_networks_the_same_part_is_drawn_each_time(four):
    pd.testing.assert_frame_equal(agreement_matrix(four, most=50), agreement_matrix(four, most=50))
    assert not agreement_matrix(four, most=50).equals(agreement_matrix(four))


def test_two_proxies_need_no_clustering():
    matrix = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["b", "a"], columns=["b", "a"])
    assert clustered(matrix) == ["b", "a"]


def test_one_proxy_agrees_with_nothing():
    with pytest.raises(HarnessError, match="two or more"):
        agreement_matrix(joined({"p": [1, 2, 3]}, [1, 2, 3]))
