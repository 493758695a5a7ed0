"""Rank aggregates and trained accuracies as rows of the correlation table."""

import math

import numpy as np
import pandas as pd
import pytest

from harness.aggregates import aggregate
from harness.aggregates.literature import te_nas
from harness.analysis import compare, correlation_table, kendall
from harness.analysis.statistics.jackknife import jackknife
from harness.analysis.statistics.ranks import rank
from harness.contracts.ground_truth import GroundTruth

NETWORKS = 60
NAMES = [f"net{i}" for i in range(NETWORKS)]
RANDOM = np.random.default_rng(0)
ACCURACY = RANDOM.normal(size=NETWORKS)
PARAMS = np.round(ACCURACY + RANDOM.normal(size=NETWORKS))
NTK = -(ACCURACY + RANDOM.normal(size=NETWORKS))
REGIONS = np.round(2 * (ACCURACY + RANDOM.normal(size=NETWORKS)))
DIRECTIONS = {"params": "higher", "ntk": "lower", "linear_regions_thin": "higher"}


def truth(accuracy=ACCURACY, split="test", epochs=200, higher_is_better=True):
    values = pd.Series(accuracy, index=NAMES)
    return GroundTruth("bench", "digits", split, epochs, "mean", "accuracy", higher_is_better, "made up", values)


def scores(**columns):
    rows = [
        (name, proxy, "ok" if np.isfinite(value) else status, value)
        for proxy, (column, status) in columns.items()
        for name, value in zip(NAMES, column, strict=True)
    ]
    return pd.DataFrame(rows, columns=["architecture", "proxy", "status", "value"])


def table(ntk=NTK, regions=REGIONS, status="non_finite", **options):
    found = scores(params=(PARAMS, ""), ntk=(ntk, status), linear_regions_thin=(regions, status))
    return correlation_table(found, truth(), DIRECTIONS, **options)


def row(table, proxy, of_set="all"):
    return table[(table["proxy"] == proxy) & (table["set"] == of_set)].iloc[0]


def with_holes(column, *places):
    holed = column.copy()
    holed[list(places)] = np.nan
    return holed


def test_a_network_outside_the_pool_has_the_status_of_its_first_part_that_is_not_finite():
    found = scores(
        params=(PARAMS, ""),
        ntk=(with_holes(NTK, 0), "failed"),
        linear_regions_thin=(with_holes(REGIONS, 0, 1, 2), "skipped"),
    )
    counts = row(correlation_table(found, truth(), DIRECTIONS, aggregates=[te_nas]), "te_nas")
    assert (counts["failed"], counts["skipped"], counts["ok"]) == (1, 2, NETWORKS - 3)


def test_an_aggregate_is_ranked_and_compared_as_a_proxy_is():
    found = row(table(aggregates=[te_nas]), "te_nas")
    score = te_nas({"ntk": -NTK, "linear_regions_thin": REGIONS})
    expected, paired = kendall(score, ACCURACY), compare(score, PARAMS, ACCURACY)
    assert (found["kendall"], found["kendall_low"], found["kendall_high"]) == (
        expected.value,
        expected.low,
        expected.high,
    )
    assert (found["difference"], found["p_value"], found["verdict"]) == (
        paired.difference,
        paired.p_value,
        paired.verdict,
    )
    assert (found["kind"], found["pool"]) == ("aggregate", NETWORKS)


def test_the_pool_is_the_networks_for_which_every_part_is_finite():
    ntk, regions = with_holes(NTK, 0, 1), with_holes(REGIONS, 1, 2)
    found = row(table(ntk, regions, aggregates=[te_nas]), "te_nas")
    score = te_nas({"ntk": -NTK[3:], "linear_regions_thin": REGIONS[3:]})
    assert found["kendall"] == kendall(score, ACCURACY[3:]).value
    assert (found["networks"], found["used"], found["pool"]) == (NETWORKS, NETWORKS - 3, NETWORKS - 3)
    assert found["non_finite"] == 3


def test_each_set_is_a_pool_of_its_own():
    even = {"all": lambda name: True, "even": lambda name: int(name[3:]) % 2 == 0}
    found = row(table(aggregates=[te_nas], members=even), "te_nas", "even")
    score = te_nas({"ntk": -NTK[::2], "linear_regions_thin": REGIONS[::2]})
    assert found["kendall"] == kendall(score, ACCURACY[::2]).value
    assert found["pool"] == NETWORKS / 2


def test_an_aggregate_that_lacks_a_part_has_no_row():
    @aggregate("of_two", parts=("params", "absent"), cite="nobody2026")
    def of_two(parts):
        """Params alone."""
        return parts["params"]

    assert set(table(aggregates=[of_two, te_nas])["proxy"]) == {"params", "ntk", "linear_regions_thin", "te_nas"}


def test_an_empty_pool_has_no_coefficient():
    found = row(table(np.full(NETWORKS, np.nan), aggregates=[te_nas]), "te_nas")
    assert found["pool"] == 0 and math.isnan(found["kendall"])


def test_another_truth_is_compared_as_a_proxy_is():
    early = ACCURACY + 0.5 * RANDOM.normal(size=NETWORKS)
    found = row(table(beside={"val/12": truth(early, "val", 12)}), "val/12")
    assert found["kendall"] == kendall(early, ACCURACY).value
    assert found["difference"] == compare(early, PARAMS, ACCURACY).difference
    assert found["kind"] == "truth" and math.isnan(found["pool"])


def test_the_sign_of_an_error_is_turned():
    found = row(table(beside={"val/12": truth(-ACCURACY, "val", 12, higher_is_better=False)}), "val/12")
    assert found["kendall"] == 1


def test_an_accuracy_that_is_missing_was_not_scored():
    found = row(table(beside={"val/12": truth(with_holes(ACCURACY, 0), "val", 12)}), "val/12")
    assert (found["networks"], found["used"]) == (NETWORKS - 1, NETWORKS - 1)


def test_it_may_be_the_baseline():
    found = table(aggregates=[te_nas], beside={"val/12": truth(split="val")}, baseline="val/12")
    assert row(found, "val/12")["verdict"] == "baseline"
    assert row(found, "te_nas")["verdict"] == "loss"


@pytest.mark.parametrize("networks", [200])
def test_taking_the_ranks_as_given_costs_the_interval_little(networks):
    """The spread of τ with each network left out, with the others' ranks as they are, and ranked anew."""
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        accuracy = rng.normal(size=networks)
        parts = {
            "ntk": accuracy + rng.normal(size=networks),
            "linear_regions_thin": np.round(accuracy + rng.normal(size=networks)),
        }
        given, _ = jackknife(rank(te_nas(parts)), rank(accuracy))
        anew = []
        for left_out in range(networks):
            kept = np.arange(networks) != left_out
            score = te_nas({part: scores[kept] for part, scores in parts.items()})
            anew.append(jackknife(rank(score), rank(accuracy[kept]))[0].value)
        ratios.append(given.standard_error / math.sqrt((networks - 1) * np.var(anew)))
    assert ratios == pytest.approx([1] * len(ratios), abs=0.1)
