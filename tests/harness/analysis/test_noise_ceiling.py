"""The noise ceiling: agreement as scipy computes it, and the ceiling as a noiseless score reaches it."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from harness.analysis.noise_ceiling import COLUMNS, ceiling_table, noiseless
from harness.contracts.ground_truth import GroundTruth
from harness.errors import HarnessError

NETWORKS = 300


def truth(values, split="test", epochs=200, higher=True, names=None):
    index = [f"a{i}" for i in range(len(values))] if names is None else names
    return GroundTruth("b", "d", split, epochs, "mean", "accuracy", higher, "here", pd.Series(values, index=index))


def noisy(networks, trainings, noise, seed=0):
    """Expected accuracies, and single trainings of them."""
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=networks)
    return expected, expected[:, None] + noise * rng.normal(size=(networks, trainings))


def frame(trainings):
    return pd.DataFrame(trainings, index=[f"a{i}" for i in range(len(trainings))])


def test_the_columns_are_those_documented():
    table = ceiling_table([truth([1.0, 2, 3]), truth([1.0, 3, 2], epochs=12)])
    assert tuple(table.columns) == COLUMNS
    assert all(f"``{column}``" in ceiling_table.__doc__ for column in COLUMNS if "ceiling" not in column)


def test_every_pair_of_truths_is_compared_and_its_relation_named():
    _, trainings = noisy(NETWORKS, 4, 0.5)
    kinds = [("test", 200), ("val", 200), ("test", 12), ("val", 12)]
    truths = [truth(trainings[:, i], *kind) for i, kind in enumerate(kinds)]
    table = ceiling_table(truths)
    assert table["relation"].tolist() == [
        "other images", "other length", "other images and length",
        "other images and length", "other length", "other images",
    ]  # fmt: skip
    assert table["first"].tolist()[:3] == ["test/200"] * 3
    for row, (i, j) in zip(table.to_dict("records"), combinations(range(4), 2), strict=True):
        assert row["kendall"] == pytest.approx(kendalltau(trainings[:, i], trainings[:, j]).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(trainings[:, i], trainings[:, j]).statistic)
        assert row["kendall_low"] < row["kendall"] < row["kendall_high"]
        assert np.isnan(row["ceiling_kendall"])


def test_a_loss_is_turned_before_it_is_compared():
    table = ceiling_table([truth([1.0, 2, 3, 4]), truth([4.0, 2, 3, 1], "val", higher=False)])
    assert table["kendall"].item() == pytest.approx(kendalltau([1, 2, 3, 4], [-4, -2, -3, -1]).statistic)


def test_only_the_networks_that_are_asked_for_and_that_both_have_count():
    first = truth([1.0, 2, 3, 4, 5])
    second = truth([3.0, 2, 1, 0], "val", names=["a1", "a2", "a3", "a9"])
    assert ceiling_table([first, second])["networks"].item() == 3
    chosen = pd.Index(["a0", "a1", "a2", "a4"])
    assert ceiling_table([first, second], architectures=chosen)["networks"].item() == 2


def test_single_trainings_are_the_mean_over_all_their_pairs():
    _, trainings = noisy(NETWORKS, 3, 0.7)
    (row,) = ceiling_table([truth(trainings.mean(axis=1))], frame(trainings)).to_dict("records")
    assert (row["relation"], row["trainings"], row["networks"]) == ("one training", 1, NETWORKS)
    taus = [kendalltau(trainings[:, i], trainings[:, j]).statistic for i, j in combinations(range(3), 2)]
    assert row["kendall"] == pytest.approx(np.mean(taus))


def test_four_trainings_can_be_halved_and_halves_agree_better():
    _, trainings = noisy(NETWORKS, 4, 0.7)
    one, half = ceiling_table([truth(trainings.mean(axis=1))], frame(trainings)).to_dict("records")
    assert (half["relation"], half["trainings"]) == ("half of the trainings", 2)
    assert half["kendall"] > one["kendall"]


@pytest.mark.parametrize("noise", [0.4, 1.0])
def test_the_ceiling_is_what_a_score_without_noise_reaches(noise):
    expected, trainings = noisy(4000, 9, noise)
    mean = trainings.mean(axis=1)
    for row in ceiling_table([truth(mean)], frame(trainings)).to_dict("records"):
        assert row["ceiling_kendall"] == pytest.approx(kendalltau(expected, mean).statistic, abs=0.01)
        assert row["ceiling_spearman"] == pytest.approx(spearmanr(expected, mean).statistic, abs=0.01)
        assert row["ceiling_kendall"] > row["kendall"]


def test_the_interval_holds_the_mean_agreement_of_the_population():
    _, many = noisy(20_000, 3, 0.7, seed=1)
    population = np.mean([kendalltau(many[:, i], many[:, j]).statistic for i, j in combinations(range(3), 2)])
    held = 0
    for seed in range(300):
        _, trainings = noisy(60, 3, 0.7, seed=seed + 2)
        row = ceiling_table([truth(trainings[:, 0])], frame(trainings)).iloc[0]
        held += row["kendall_low"] <= population <= row["kendall_high"]
    assert abs(held - 0.95 * 300) < 5 * (300 * 0.95 * 0.05) ** 0.5


@pytest.mark.parametrize("coefficient", ["kendall", "spearman"])
def test_the_limits_of_the_ceiling(coefficient):
    assert noiseless(1.0, coefficient, 3) == pytest.approx(1)
    assert np.isnan(noiseless(0.0, coefficient, 3))
    assert np.isnan(noiseless(-0.2, coefficient, 3))
    assert noiseless(0.5, coefficient, 10**9) == pytest.approx(1, abs=1e-3)


def test_one_truth_alone_has_nothing_to_be_compared_with():
    with pytest.raises(HarnessError, match="nothing to compare"):
        ceiling_table([truth([1.0, 2, 3])])


def test_digits_agree_as_their_own_page_says():
    from harness_benchmarks.digits import Digits

    from tools.digits.reliability import split_half_agreement

    digits = Digits()
    table = ceiling_table([digits.ground_truth("digits")], digits.trainings("digits"))
    halves = table.set_index("relation").loc["half of the trainings"]
    assert halves["trainings"] == 4
    assert halves["kendall"] == pytest.approx(split_half_agreement(digits.per_seed_accuracies()), abs=0.005)
