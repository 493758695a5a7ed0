"""The main table: counts, orientation, sets, verdicts, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis import compare, correlation_table, kendall, spearman
from harness.analysis.correlations import COLUMNS
from harness.contracts.ground_truth import GroundTruth
from harness.errors import HarnessError

NETWORKS = 60
NAMES = [f"net{i}" for i in range(NETWORKS)]
RANDOM = np.random.default_rng(0)
ACCURACY = RANDOM.normal(size=NETWORKS)
PARAMS = np.round(ACCURACY + RANDOM.normal(size=NETWORKS))
GOOD = ACCURACY + 0.1 * RANDOM.normal(size=NETWORKS)
HIGHER = {"params": "higher", "good": "higher", "bad": "higher"}
DIFFERENCE_COLUMNS = ["difference", "difference_low", "difference_high", "p_value", "p_holm", "spearman_difference"]


def truth(accuracy=ACCURACY, names=NAMES, higher_is_better=True):
    return GroundTruth(
        "bench", "digits", "test", 6, "mean", "accuracy", higher_is_better, "made up", pd.Series(accuracy, index=names)
    )


def scores(**values):
    """Long rows: NaN becomes a row that is non_finite."""
    rows = [
        (name, proxy, 1, 0, "ok" if np.isfinite(value) else "non_finite", value)
        for proxy, column in values.items()
        for name, value in zip(NAMES, column, strict=True)
    ]
    return pd.DataFrame(rows, columns=["architecture", "proxy", "version", "seed", "status", "value"])


def row(table, proxy, of_set="all"):
    return table[(table["proxy"] == proxy) & (table["set"] == of_set)].iloc[0]


def test_the_columns_are_those_documented():
    table = correlation_table(scores(params=PARAMS, good=GOOD), truth(), HIGHER)
    assert tuple(table.columns) == COLUMNS
    assert all(f"``{column}``" in correlation_table.__doc__ for column in COLUMNS)


def test_each_number_is_that_of_the_plain_functions():
    found = row(correlation_table(scores(params=PARAMS, good=GOOD), truth(), HIGHER, confidence=0.9), "good")
    for name, expected in (("kendall", kendall(GOOD, ACCURACY, 0.9)), ("spearman", spearman(GOOD, ACCURACY, 0.9))):
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == (
            expected.value,
            expected.low,
            expected.high,
        )
    paired = compare(GOOD, PARAMS, ACCURACY, 0.9)
    assert (found["difference"], found["difference_low"], found["difference_high"]) == (
        paired.difference,
        paired.low,
        paired.high,
    )
    assert (found["p_value"], found["verdict"]) == (paired.p_value, "win")
    assert found["spearman_difference"] == paired.spearman_difference


def test_ties_are_counted():
    found = row(correlation_table(scores(params=PARAMS), truth(), HIGHER), "params")
    counts = pd.Series(PARAMS).value_counts()
    assert found["distinct"] == len(counts)
    assert found["tied_pairs"] == pytest.approx((counts * (counts - 1)).sum() / (NETWORKS * (NETWORKS - 1)))


def test_rows_stand_by_kendall_with_undefined_last():
    table = correlation_table(
        scores(constant=np.ones(NETWORKS), bad=-GOOD, params=PARAMS, good=GOOD),
        truth(),
        HIGHER | {"constant": "higher"},
    )
    assert table["proxy"].tolist() == ["good", "params", "bad", "constant"]


@pytest.mark.parametrize(
    ("proxy_better", "accuracy_better", "sign"),
    [("higher", True, 1), ("lower", True, -1), ("higher", False, -1), ("lower", False, 1)],
)
def test_directions_turn_the_sign_by_declaration_and_never_otherwise(proxy_better, accuracy_better, sign):
    table = correlation_table(scores(good=GOOD), truth(higher_is_better=accuracy_better), {"good": proxy_better})
    assert row(table, "good")["kendall"] == pytest.approx(sign * kendall(GOOD, ACCURACY).value)


def test_p_values_are_corrected_for_the_comparisons_of_the_set():
    values = {"params": PARAMS, "good": GOOD, "bad": -GOOD, "noise": RANDOM.normal(size=NETWORKS)}
    members = {"all": lambda name: True, "even": lambda name: int(name[3:]) % 2 == 0}
    table = correlation_table(scores(**values), truth(), HIGHER | {"noise": "higher"}, members=members)
    for name in members:
        rows = table[(table["set"] == name) & (table["proxy"] != "params")]
        ordered = rows.sort_values("p_value")
        stepwise = np.maximum.accumulate(ordered["p_value"].to_numpy() * [3, 2, 1])
        assert ordered["p_holm"].to_numpy() == pytest.approx(np.minimum(stepwise, 1))
    assert np.isnan(row(table, "params")["p_holm"])


def test_the_baseline_is_called_so_and_has_no_difference():
    found = row(correlation_table(scores(params=PARAMS, good=GOOD), truth(), HIGHER), "params")
    assert found["verdict"] == "baseline"
    assert found[DIFFERENCE_COLUMNS].isna().all()


def test_without_the_baseline_there_is_no_difference():
    found = row(correlation_table(scores(good=GOOD), truth(), HIGHER), "good")
    assert found["verdict"] == "no baseline"
    assert found[DIFFERENCE_COLUMNS].isna().all()
    assert found["kendall"] == kendall(GOOD, ACCURACY).value


def test_another_baseline_can_be_named():
    table = correlation_table(scores(params=PARAMS, good=GOOD), truth(), HIGHER, baseline="good")
    assert (row(table, "good")["verdict"], row(table, "params")["verdict"]) == ("baseline", "loss")


def test_a_constant_score_is_undefined_and_does_not_hide():
    found = row(correlation_table(scores(params=PARAMS, bad=np.ones(NETWORKS)), truth(), HIGHER), "bad")
    assert (found["used"], found["distinct"], found["tied_pairs"], found["verdict"]) == (NETWORKS, 1, 1, "undefined")
    assert found[["kendall", "kendall_low", "spearman", "difference", "p_value"]].isna().all()


def test_a_constant_baseline_leaves_the_difference_undefined():
    found = row(correlation_table(scores(params=np.ones(NETWORKS), good=GOOD), truth(), HIGHER), "good")
    assert found["verdict"] == "undefined"
    assert found["kendall"] == kendall(GOOD, ACCURACY).value


def test_every_status_is_counted_and_only_finite_scores_are_used():
    table = scores(params=PARAMS, good=GOOD)
    good = table.index[table["proxy"] == "good"]
    for status, rows in (("failed", good[:2]), ("skipped", good[2:5]), ("non_finite", good[5:6])):
        table.loc[rows, "status"] = status
        table.loc[rows, "value"] = np.nan
    table.loc[good[6], "value"] = np.inf
    table.loc[good[5], "value"] = -1e8
    table = table.drop(index=good[-1])
    found = row(correlation_table(table, truth(), HIGHER), "good")
    assert found[["networks", "ok", "failed", "non_finite", "skipped", "used"]].tolist() == [59, 53, 2, 1, 3, 52]
    assert found["kendall"] == kendall(GOOD[7:-1], ACCURACY[7:-1]).value


def test_the_difference_is_taken_where_both_have_scores():
    params, good = PARAMS.copy(), GOOD.copy()
    params[:7], good[5:20] = np.nan, np.nan
    found = row(correlation_table(scores(params=params, good=good), truth(), HIGHER), "good")
    paired = compare(GOOD[20:], PARAMS[20:], ACCURACY[20:])
    assert (found["difference"], found["p_value"]) == (paired.difference, paired.p_value)
    assert found["spearman_difference"] == paired.spearman_difference
    used = np.isfinite(good)
    assert found["kendall"] == kendall(GOOD[used], ACCURACY[used]).value


def test_the_order_of_rows_and_of_the_truth_does_not_count():
    table = scores(params=PARAMS, good=GOOD)
    shuffled = table.sample(frac=1, random_state=0)
    other_order = truth(ACCURACY[::-1], NAMES[::-1])
    pd.testing.assert_frame_equal(
        correlation_table(shuffled, other_order, HIGHER), correlation_table(table, truth(), HIGHER)
    )


def test_sets_stand_side_by_side_in_the_order_given():
    members = {"even": lambda name: int(name[3:]) % 2 == 0, "all": lambda name: True, "none": lambda name: False}
    table = correlation_table(scores(params=PARAMS, good=GOOD), truth(), HIGHER, members=members)
    assert table["set"].tolist() == ["even", "even", "all", "all", "none", "none"]
    assert row(table, "good", "even")["kendall"] == kendall(GOOD[::2], ACCURACY[::2]).value
    assert row(table, "good", "even")["difference"] == compare(GOOD[::2], PARAMS[::2], ACCURACY[::2]).difference
    empty = row(table, "good", "none")
    assert (empty["networks"], empty["used"], empty["verdict"]) == (0, 0, "no baseline")
    assert np.isnan(empty["kendall"])


def test_no_scores_make_an_empty_table():
    assert correlation_table(scores(), truth(), HIGHER).empty


def test_architectures_without_an_accuracy_are_named_and_counted():
    accuracy = ACCURACY[:-3].copy()
    accuracy[4] = np.nan
    with pytest.raises(HarnessError, match=r"4 of 60 scored architectures have no accuracy .* such as 'net4'"):
        correlation_table(scores(good=GOOD), truth(accuracy, NAMES[:-3]), HIGHER)


def test_a_truth_with_two_values_for_one_architecture_is_refused():
    with pytest.raises(HarnessError, match="'net1' twice"):
        correlation_table(scores(good=GOOD), truth([*ACCURACY, 1.0], [*NAMES, "net1"]), HIGHER)


def test_two_seeds_of_one_network_are_refused():
    table = scores(good=GOOD)
    with pytest.raises(HarnessError, match="'good' has 2 scores of the architecture 'net3'"):
        correlation_table(pd.concat([table, table[3:4].assign(seed=1)]), truth(), HIGHER)


@pytest.mark.parametrize(
    ("directions", "message"),
    [({}, "no direction is declared for the proxy 'good'"), ({"good": "up"}, "must be 'higher' or 'lower', not 'up'")],
)
def test_directions_must_be_declared(directions, message):
    with pytest.raises(HarnessError, match=message):
        correlation_table(scores(good=GOOD), truth(), directions)


def test_a_missing_column_is_named():
    with pytest.raises(HarnessError, match="lack the column 'status'; they have architecture, proxy"):
        correlation_table(scores(good=GOOD).drop(columns="status"), truth(), HIGHER)


def test_an_unknown_status_is_named():
    with pytest.raises(HarnessError, match=r"unknown status 'fine' .* ok, failed, non_finite, skipped"):
        correlation_table(scores(good=GOOD).assign(status="fine"), truth(), HIGHER)


def test_a_row_without_a_name_is_refused():
    with pytest.raises(HarnessError, match="name no architecture or no proxy"):
        correlation_table(scores(good=GOOD).assign(architecture=None), truth(), HIGHER)
