"""Combinations of proxies: chosen on the other spaces, judged on the one left out, by brute force on made-up spaces."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, rankdata

from harness.analysis.combining import candidates_of, combination_table, mean_table
from harness.analysis.joined import Joined
from harness.analysis.scores import ProxyScores
from harness.errors import HarnessError

NAMES = ["params", "a", "b", "c"]


def pool(seed, weights, networks=60, lost=()):
    """Accuracies that are a weighted sum of three proxies, and noise."""
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=networks) for name in NAMES}
    accuracy = sum(weight * values[name] for name, weight in weights.items()) + 0.5 * rng.normal(size=networks)
    for name, number in lost:
        values[name][:number] = np.nan
    status = np.zeros(networks, dtype=np.int8)
    return Joined(
        pd.Index([f"n{number}" for number in range(networks)]),
        np.asarray(accuracy, dtype=float),
        {name: ProxyScores(value, status) for name, value in values.items()},
    )


@pytest.fixture(scope="module")
def pools():
    return {
        "first": pool(1, {"a": 1, "b": 1}),
        "second": pool(2, {"a": 1, "b": 0.5, "params": 0.3}),
        "second again": pool(3, {"a": 0.8, "b": 0.5}),
        "third": pool(4, {"c": 1, "params": 1}, networks=45),
    }


SPACES = {"first": "one", "second": "two", "second again": "two", "third": "three"}


def ranks(pool):
    return {name: rankdata(pool.proxies[name].value) for name in NAMES}


def merit(pool, members):
    mean = np.mean([ranks(pool)[name] for name in members], axis=0)
    return np.corrcoef(mean, rankdata(pool.accuracy))[0, 1]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_choice_is_the_best_mean_over_the_other_spaces_of_all_combinations(pools, size):
    table = combination_table(pools, SPACES, most=3, baselines=("params",), resamples=0)
    for row in table[table["size"] == size].to_dict("records"):
        others = [name for name in set(SPACES.values()) if name != row["space"]]
        by_hand = {
            members: np.mean(
                [np.mean([merit(pools[run], members) for run in pools if SPACES[run] == name]) for name in others]
            )
            for members in itertools.combinations(NAMES, size)
        }
        best = max(by_hand, key=by_hand.get)
        assert row["combination"] == best
        assert row["choice"] == pytest.approx(by_hand[best], rel=1e-10)
        mean = np.mean([ranks(pools[row["run"]])[name] for name in best], axis=0)
        accuracy = pools[row["run"]].accuracy
        assert row["kendall"] == pytest.approx(kendalltau(mean, accuracy).statistic, rel=1e-10)
        params = kendalltau(pools[row["run"]].proxies["params"].value, accuracy).statistic
        assert row["difference"] == pytest.approx(row["kendall"] - params, rel=1e-9)
        here = max(itertools.combinations(NAMES, size), key=lambda members: merit(pools[row["run"]], members))
        assert row["best_here"] == here


def test_runs_of_one_space_are_left_out_together(pools):
    table = combination_table(pools, SPACES, most=1, baselines=("params",), resamples=0)
    two = table[table["space"] == "two"]
    assert list(two["run"]) == ["second", "second again"]
    assert len(set(two["combination"])) == 1


def test_the_interval_counts_the_choice(pools):
    """Where the choice changes with the networks drawn, the interval is wider than that of the networks alone."""
    table = combination_table(pools, SPACES, most=2, baselines=("params",), resamples=100)
    unsure = table[table["chosen_again"] < 1]
    assert len(unsure) and (unsure["choice_error"] > 0).any()
    for row in unsure.to_dict("records"):
        half = (row["difference_high"] - row["difference_low"]) / 2
        assert half >= 1.96 * np.hypot(row["network_error"], row["choice_error"])
    sure = table[table["chosen_again"] == 1]
    assert (sure["choice_error"] == 0).all()


def test_means_are_over_spaces_and_every_combination_is_counted(pools):
    table = combination_table(pools, SPACES, most=2, baselines=("params",), resamples=0)
    means = mean_table(table, len(NAMES)).set_index("size")
    assert list(means["combinations"]) == [4, 6]
    rows = table[table["size"] == 2]
    by_space = rows.groupby("space")["difference"].mean()
    assert means.loc[2, "difference"] == pytest.approx(by_space.mean())
    from scipy.stats import ttest_1samp

    interval = ttest_1samp(by_space, 0).confidence_interval()
    assert (means.loc[2, "low"], means.loc[2, "high"]) == pytest.approx((interval.low, interval.high))


def test_only_networks_with_every_score_count_and_a_baseline_may_lack_some(pools):
    holes = pools | {"first": pool(1, {"a": 1, "b": 1}, lost=[("a", 10)])}
    table = combination_table(holes, SPACES, most=1, candidates=["a", "b"], baselines=("params",), resamples=0)
    assert table.loc[table["run"] == "first", "networks"].item() == 50
    lacks = pools | {"first": pool(1, {"a": 1, "b": 1}, lost=[("params", 12)])}
    table = combination_table(lacks, SPACES, most=1, candidates=["a", "b"], baselines=("params",), resamples=0)
    row = table[table["run"] == "first"].iloc[0]
    kept = slice(12, None)
    assert row["networks"] == 60
    assert row["reference"] == pytest.approx(
        kendalltau(lacks["first"].proxies["params"].value[kept], lacks["first"].accuracy[kept]).statistic
    )


def test_candidates_are_what_every_run_can_rank():
    constant = pool(5, {"a": 1})
    constant.proxies["b"].value[:] = 3.0
    few = pool(6, {"a": 1}, lost=[("c", 55)])
    assert candidates_of({"one": constant, "two": few}) == ["params", "a"]


FEW = pool(4, {"c": 1}, networks=8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pools: {"spaces": dict.fromkeys(pools, "one")}, "all runs are of one"),
        (lambda pools: {"most": 5}, "combinations of 5 proxies; use 1 to 4"),
        (lambda pools: {"candidates": ["a", "zen"]}, "first has no scores of zen"),
        (lambda pools: {"candidates": ["a", "b"], "most": 3}, "2 proxies in common; combinations of 3 need more"),
        (
            lambda pools: {"pools": pools | {"third": pool(4, {"c": 1}, networks=8)}, "candidates": NAMES},
            "third: 8 networks have a finite score",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(pools, change, message):
    asked = {"pools": pools, "spaces": SPACES, "most": 2, "resamples": 0} | change(pools)
    with pytest.raises(HarnessError, match=message):
        combination_table(asked.pop("pools"), asked.pop("spaces"), **asked)
