"""Required n: power as simulation finds it, and standard errors as subsampling of real scores finds them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import joined
from scipy import stats
from scipy.stats import norm

from harness.analysis import compare, kendall
from harness.analysis.required_n import (
    CHECK_COLUMNS,
    COLUMNS,
    check_by_subsampling,
    power_of,
    required_networks,
    required_table,
    smallest_difference,
)
from harness.errors import HarnessError


def made_up(networks, seed=0):
    rng = np.random.default_rng(seed)
    truth, shared, one, other = rng.normal(size=(4, networks))
    scores = {"params": np.round(truth + shared + 0.5 * other), "good": truth + 0.7 * shared + 0.3 * one}
    return joined(scores, truth)


def test_the_columns_are_those_documented():
    table = required_table(made_up(100))
    assert tuple(table.columns) == COLUMNS
    assert all(f"``{column}``" in required_table.__doc__ for column in COLUMNS)
    checked = check_by_subsampling(made_up(100), 30, 3)
    assert tuple(checked.columns) == CHECK_COLUMNS
    assert all(f"``{column}``" in check_by_subsampling.__doc__ for column in CHECK_COLUMNS)


@given(st.floats(-0.2, 0.2), st.floats(0.005, 0.1))
def test_with_many_networks_power_is_that_of_a_normal_test(difference, error):
    expected = norm.sf(1.959964, difference / error) + norm.cdf(-1.959964, difference / error)
    assert power_of(difference, error, 10**7) == pytest.approx(expected, abs=1e-5)


def test_drawing_a_large_share_of_the_pool_leaves_less_to_chance():
    error = 0.02
    reach = stats.t.ppf(0.975, 50 - 1) * error
    assert power_of(reach + error / 2, error, 50, share=0.75) == pytest.approx(stats.norm.cdf(1), abs=1e-6)


def test_without_a_difference_power_is_the_level():
    assert power_of(0, 0.02, 10**7) == pytest.approx(0.05, abs=1e-6)


@given(st.floats(0.01, 0.5), st.floats(0.05, 2), st.sampled_from([0.5, 0.8, 0.95]))
def test_the_required_number_is_the_fewest_that_is_enough(difference, deviation, power):
    n = required_networks(difference, deviation, power)
    assert required_networks(-difference, deviation, power) == n
    assert power_of(difference, deviation / n**0.5, n) >= power - 1e-9
    if n > 3:
        assert power_of(difference, deviation / (n - 1) ** 0.5, n - 1) < power + 1e-9


def test_the_smallest_difference_is_found_with_that_power():
    assert power_of(smallest_difference(0.02, 300), 0.02, 300) == pytest.approx(0.8)


def test_each_number_is_that_of_the_comparison():
    data = made_up(400)
    (row,) = required_table(data, difference=0.05).to_dict("records")
    found = compare(data.rows["good"].value, data.rows["params"].value, data.accuracy)
    assert row["difference"] == found.difference
    assert row["standard_error"] == pytest.approx((found.high - found.low) / 2 / 1.9659, rel=1e-3)
    assert row["deviation"] == row["standard_error"] * 20
    assert row["required"] == required_networks(0.05, row["deviation"])
    assert row["power"] == power_of(0.05, row["standard_error"], 400)


def test_proxies_that_always_rank_alike_need_no_number():
    data = made_up(50)
    same = joined({"params": data.rows["params"].value, "flops": 2 * data.rows["params"].value}, data.accuracy)
    row = required_table(same).iloc[0]
    assert row["difference"] == 0
    assert row[["required", "power", "smallest"]].isna().all()


def test_power_is_what_drawing_networks_anew_finds():
    table = required_table(made_up(40_000)).iloc[0]
    n = required_networks(table["difference"], table["deviation"], 0.6)
    assert 50 < n < 500
    found = [
        compare(data.rows["good"].value, data.rows["params"].value, data.accuracy).verdict
        for data in (made_up(n, seed) for seed in range(1, 401))
    ]
    # Four standard errors of 400 draws.
    assert np.mean([verdict == "win" for verdict in found]) == pytest.approx(0.6, abs=4 * (0.24 / 400) ** 0.5)


def test_a_prediction_from_one_run_holds_for_the_population():
    large, small = (required_table(made_up(n, seed=n)).iloc[0]["required"] for n in (40_000, 1_000))
    assert small == pytest.approx(large, rel=0.2)


def test_draws_from_the_networks_at_hand_vary_as_predicted():
    row = check_by_subsampling(made_up(1_000), 250, 400).iloc[0]
    assert row["deviation_found"] == pytest.approx(row["deviation_predicted"], rel=0.15)
    assert row["power_found"] == pytest.approx(row["power_predicted"], abs=0.125)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: required_table(data, baseline="nobody"), "no scores of 'nobody'"),
        (lambda data: check_by_subsampling(data, 100), "choose 3 to 99"),
        (lambda data: required_table(joined({"params": data.accuracy}, data.accuracy)), "nothing to compare"),
    ],
)
def test_what_cannot_be_answered_is_refused(call, message):
    with pytest.raises(HarnessError, match=message):
        call(made_up(100))


@pytest.mark.parametrize(
    "bad", [{"difference": 0.0, "deviation": 1.0}, {"difference": 0.1, "deviation": 1.0, "power": 1.0}]
)
def test_numbers_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError, match=r"zero|power"):
        required_networks(**bad)


@pytest.fixture(scope="module")
def published(real_data):
    """Thirteen scores of 9,445 cells as NAS-Bench-Suite-Zero computed them, and the accuracies."""
    scores = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz", index_col="net_str").replace(
        -1e8, np.nan
    )
    table = pd.read_csv(real_data / "nats-tss.csv.gz")
    accuracy = table.set_index("arch")["cifar10/test/200"].reindex(scores.index)
    return joined({name: scores[name] for name in ("params", "nwot", "synflow", "zen")}, accuracy)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("networks", "deviation"), [(100, 0.044), (200, 0.031), (500, 0.017), (1000, 0.013), (2000, 0.009)]
)
def test_tau_of_nwot_varies_as_it_was_measured_to(published, networks, deviation):
    value = published.rows["nwot"].value
    used = np.isfinite(value)
    error = kendall(value[used], published.accuracy[used]).standard_error
    predicted = error * (used.sum() / networks) ** 0.5 * (1 - networks / used.sum()) ** 0.5
    assert predicted == pytest.approx(deviation, rel=0.15)


@pytest.mark.real_data
@pytest.mark.parametrize("networks", [300, 1_000])
def test_predicted_power_is_what_draws_of_published_scores_find(published, networks):
    draws = 150
    checked = check_by_subsampling(published, networks, draws).set_index("proxy")
    for row in checked.to_dict("records"):
        assert row["deviation_found"] == pytest.approx(row["deviation_predicted"], rel=5 / (2 * draws) ** 0.5)
        spread = (row["power_predicted"] * (1 - row["power_predicted"]) / draws) ** 0.5
        assert row["power_found"] == pytest.approx(row["power_predicted"], abs=4 * spread + 0.02)
