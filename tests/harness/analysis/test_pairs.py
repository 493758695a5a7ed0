"""All pairs: each difference as the plain comparison gives it, on the networks that both proxies have."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from made_up import joined

from harness.analysis import compare, kendall, spearman
from harness.analysis.pairs import COLUMNS, pair_table
from harness.analysis.statistics.comparison import difference_test
from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.multiplicity import benjamini_hochberg, holm
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

NETWORKS = 80
RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=NETWORKS)
SCORES = {
    "good": TRUTH + 0.3 * RANDOM.normal(size=NETWORKS),
    "fair": np.round(TRUTH + RANDOM.normal(size=NETWORKS)),
    "holes": np.where(np.arange(NETWORKS) % 7 == 0, np.nan, TRUTH + RANDOM.normal(size=NETWORKS)),
    "gaps": np.where(np.arange(NETWORKS) % 5 == 0, np.nan, TRUTH + RANDOM.normal(size=NETWORKS)),
    "bad": -TRUTH + 0.3 * RANDOM.normal(size=NETWORKS),
}


def test_the_columns_are_those_documented():
    table = pair_table(joined(SCORES, TRUTH))
    assert tuple(table.columns) == COLUMNS
    assert all(f"``{column}``" in pair_table.__doc__ for column in COLUMNS if not column.startswith("spearman"))


def test_every_pair_stands_once_the_better_one_first():
    table = pair_table(joined(SCORES, TRUTH))
    taus = {name: kendall(v[np.isfinite(v)], TRUTH[np.isfinite(v)]).value for name, v in SCORES.items()}
    ordered = sorted(SCORES, key=lambda name: -taus[name])
    assert list(zip(table["first"], table["second"], strict=True)) == list(combinations(ordered, 2))


def test_each_difference_is_that_of_the_two_alone_on_their_common_networks():
    for row in pair_table(joined(SCORES, TRUTH), confidence=0.9).to_dict("records"):
        first, second = SCORES[row["first"]], SCORES[row["second"]]
        both = np.isfinite(first) & np.isfinite(second)
        found = compare(first[both], second[both], TRUTH[both], 0.9)
        assert row["networks"] == both.sum()
        assert (row["kendall_first"], row["kendall_second"]) == (
            kendall(first[both], TRUTH[both]).value,
            kendall(second[both], TRUTH[both]).value,
        )
        assert (row["kendall_difference"], row["kendall_low"], row["kendall_high"], row["kendall_p"]) == (
            found.difference,
            found.low,
            found.high,
            found.p_value,
        )
        assert row["spearman_difference"] == found.spearman_difference


def test_the_difference_of_rho_is_tested_like_that_of_tau():
    row = pair_table(joined({name: SCORES[name] for name in ("good", "fair")}, TRUTH)).iloc[0]
    (_, good), (_, fair) = (jackknife(rank(SCORES[name]), rank(TRUTH)) for name in ("good", "fair"))
    expected = difference_test(good - fair, 0.95)
    assert (row["spearman_low"], row["spearman_high"], row["spearman_p"]) == (
        expected.low,
        expected.high,
        expected.p_value,
    )
    assert row["spearman_first"] == spearman(SCORES["good"], TRUTH).value


def test_p_values_are_corrected_for_all_pairs_of_the_table():
    table = pair_table(joined(SCORES, TRUTH))
    for name in ("kendall", "spearman"):
        np.testing.assert_array_equal(table[f"{name}_p_holm"], holm(table[f"{name}_p"]))
        np.testing.assert_array_equal(table[f"{name}_p_bh"], benjamini_hochberg(table[f"{name}_p"]))
    assert (table["kendall_p_holm"] > table["kendall_p"]).any()


def test_against_one_each_other_is_compared_with_it_alone():
    table = pair_table(joined(SCORES, TRUTH), against="fair")
    assert set(table["second"]) == {"fair"}
    assert sorted(table["first"]) == sorted(set(SCORES) - {"fair"})
    found = compare(SCORES["bad"], SCORES["fair"], TRUTH)
    assert table.set_index("first").loc["bad", "kendall_difference"] == found.difference < 0
    np.testing.assert_array_equal(table["kendall_p_holm"], holm(table["kendall_p"]))


def test_only_what_is_asked_for_is_compared_and_counted():
    table = pair_table(joined(SCORES, TRUTH), rows=["bad", "good"])
    assert table[["first", "second"]].to_numpy().tolist() == [["good", "bad"]]
    assert table["kendall_p_holm"].item() == table["kendall_p"].item()


def test_a_constant_score_has_no_difference_and_does_not_count():
    table = pair_table(joined(SCORES | {"constant": np.ones(NETWORKS)}, TRUTH)).set_index(["first", "second"])
    assert table.loc[("bad", "constant"), ["kendall_difference", "kendall_p", "kendall_p_holm"]].isna().all()
    without = pair_table(joined(SCORES, TRUTH)).set_index(["first", "second"])
    pd.testing.assert_frame_equal(table.loc[without.index], without)


@pytest.mark.parametrize(
    ("scores", "arguments", "message"),
    [
        ({"good": SCORES["good"]}, {}, "needs two proxies, but there are scores of good only"),
        (SCORES, {"against": "nobody"}, "no scores of 'nobody'; there are scores of"),
        (SCORES, {"rows": ["good"], "against": "good"}, "needs two proxies"),
    ],
)
def test_what_cannot_be_compared_is_refused(scores, arguments, message):
    with pytest.raises(HarnessError, match=message):
        pair_table(joined(scores, TRUTH), **arguments)
