"""Coefficients over seeds: the mean, its interval for other networks and seeds, and whether the seeds agree."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from harness.analysis.joined import join
from harness.analysis.seeds import COLUMNS, seed_table
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.over_seeds import mean_over_seeds
from harness.analysis.statistics.ranks import rank
from harness.contracts.ground_truth import GroundTruth
from harness.errors import HarnessError

NETWORKS = [f"n{number}" for number in range(40)]
ACCURACY = pd.Series(np.random.default_rng(0).normal(size=40), index=NETWORKS)
TRUTH = GroundTruth("toy", "toy", "test", 1, "one seed", "accuracy", True, "the test", ACCURACY)
DIRECTIONS = {"params": "higher", "steady": "higher", "noisy": "lower"}


def run(seed, networks=NETWORKS, **others):
    """The run of one seed: #Params, a score that never changes, and one that changes with the seed."""
    random = np.random.default_rng(seed)
    accuracy = ACCURACY[networks].to_numpy()
    columns = {
        "params": np.round(accuracy + np.random.default_rng(9).normal(size=40)[: len(networks)]),
        "steady": accuracy + np.random.default_rng(8).normal(size=40)[: len(networks)],
        "noisy": -accuracy + 2 * random.normal(size=40)[: len(networks)],
        **others,
    }
    rows = [
        {"architecture": network, "proxy": proxy, "status": "ok", "value": value}
        for proxy, values in columns.items()
        for network, value in zip(networks, values, strict=True)
    ]
    return join(pd.DataFrame(rows), TRUTH, DIRECTIONS)


@pytest.fixture(scope="module")
def table():
    return seed_table([run(seed) for seed in range(3)]).set_index("proxy")


def test_means_and_agreements_are_those_of_scipy(table):
    noisy = [run(seed).proxies["noisy"].value for seed in range(3)]
    taus = [kendalltau(value, ACCURACY).statistic for value in noisy]
    between = [kendalltau(first, second).statistic for first, second in combinations(noisy, 2)]
    row = table.loc["noisy"]
    assert row[["kendall", "kendall_lowest", "kendall_highest"]].tolist() == pytest.approx(
        [np.mean(taus), min(taus), max(taus)]
    )
    assert row[["agreement", "agreement_lowest"]].tolist() == pytest.approx([np.mean(between), min(between)])
    params = kendalltau(run(0).proxies["params"].value, ACCURACY).statistic
    assert row["difference"] == pytest.approx(np.mean(taus) - params)


def test_the_baseline_is_that_of_the_same_seed(table):
    found = seed_table([run(seed) for seed in range(3)], baseline="noisy").set_index("proxy").loc["steady"]
    assert found["difference"] == pytest.approx(table.loc["steady", "kendall"] - table.loc["noisy", "kendall"])
    assert found["difference_low"] < found["difference"] < found["difference_high"]


def test_a_score_that_never_changes_has_the_interval_of_one_seed(table):
    row, one = table.loc["steady"], estimate(jackknife(rank(run(0).proxies["steady"].value), rank(ACCURACY))[0], 0.95)
    assert row[["kendall", "kendall_low", "kendall_high"]].tolist() == pytest.approx([one.value, one.low, one.high])
    assert row[["agreement", "seeds", "networks"]].tolist() == [1, 3, 40]


def test_the_best_mean_is_first_and_the_baseline_is_compared_with_nothing(table):
    assert table["kendall"].is_monotonic_decreasing and list(table.reset_index()) == list(COLUMNS)
    assert table.loc["params", "verdict"] == "baseline" and table.loc["params", "difference":"p_holm"].isna().all()


def test_the_variance_is_that_of_the_two_way_table():
    """Mean squares of the pseudo-values, from their definition."""
    seeds = [jackknife(rank(run(seed).proxies["noisy"].value), rank(ACCURACY))[0] for seed in range(4)]
    pseudo = np.array([40 * each.value - 39 * each.left_out for each in seeds])
    # The jackknife's mean of pseudo-values differs from the coefficient by its bias; rows are centred on the latter.
    pseudo += np.array([[each.value] for each in seeds]) - pseudo.mean(axis=1, keepdims=True)
    grand, rows, columns = pseudo.mean(), pseudo.mean(axis=1), pseudo.mean(axis=0)
    of_seeds = 40 * ((rows - grand) ** 2).sum() / 3
    of_networks = 4 * ((columns - grand) ** 2).sum() / 39
    rest = ((pseudo - rows[:, None] - columns + grand) ** 2).sum() / (3 * 39)
    found = mean_over_seeds(seeds)
    assert of_seeds > rest and of_networks > rest
    assert found.standard_error**2 == pytest.approx((of_seeds + of_networks - rest) / 160)
    satterthwaite = (of_seeds + of_networks - rest) ** 2 / (of_seeds**2 / 3 + of_networks**2 / 39 + rest**2 / 117)
    assert found.degrees_of_freedom == pytest.approx(satterthwaite)


def test_seeds_that_disagree_widen_the_interval():
    """A mini-batch moves all scores along one property of the networks, so that each seed has another τ."""
    along = np.random.default_rng(5).normal(size=40)
    weights = (-2, 0, 2)
    runs = [run(seed, steady=ACCURACY.to_numpy() + weight * along) for seed, weight in enumerate(weights)]
    row = seed_table(runs).set_index("proxy").loc["steady"]
    one = estimate(jackknife(rank(runs[0].proxies["steady"].value), rank(ACCURACY))[0], 0.95)
    assert row["kendall_high"] - row["kendall_low"] > one.high - one.low
    assert row["agreement"] < 0.5


def test_only_networks_that_all_seeds_scored_count():
    some = run(1, NETWORKS[10:])
    row = seed_table([run(0), some]).set_index("proxy").loc["noisy"]
    assert row["networks"] == 30
    inside = run(0).within(np.arange(40) >= 10)
    taus = [kendalltau(each.proxies["noisy"].value, ACCURACY[10:]).statistic for each in (inside, some)]
    assert row["kendall"] == pytest.approx(np.mean(taus))


def test_a_network_without_a_finite_score_of_one_seed_does_not_count():
    broken = run(1).proxies["noisy"].value.copy()
    broken[:4] = np.nan
    row = seed_table([run(0), run(1, noisy=-broken)]).set_index("proxy").loc["noisy"]
    assert row["networks"] == 36


def test_too_few_seeds_or_nothing_in_common():
    with pytest.raises(HarnessError, match="two or more of them, not 1"):
        seed_table([run(0)])
    with pytest.raises(HarnessError, match="share a proxy on common networks"):
        seed_table([run(0, NETWORKS[:20]), run(1, NETWORKS[20:])])
