"""The jackknife's intervals are the bootstrap's, on made-up and on real scores."""

import numpy as np
import pandas as pd
import pytest
from made_up import joined
from scipy.stats import kendalltau, spearmanr

from harness.analysis import compare, kendall, spearman
from harness.analysis.bootstrap import COLUMNS, bootstrap_table

NETWORKS = 60
RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=NETWORKS)
PARAMS = np.round(TRUTH + RANDOM.normal(size=NETWORKS))
SCORE = TRUTH + RANDOM.normal(size=NETWORKS)
SCORE[:5] = np.nan


def test_the_columns_are_those_documented():
    table = bootstrap_table(joined({"params": PARAMS}, TRUTH), resamples=20)
    assert tuple(table.columns) == COLUMNS
    assert all(f"``{column}``" in bootstrap_table.__doc__ for column in COLUMNS)


def test_a_proxy_without_a_finite_score_has_no_interval():
    table = bootstrap_table(joined({"params": PARAMS, "none": np.full(NETWORKS, np.nan)}, TRUTH), resamples=20)
    rows = table[table["proxy"] == "none"]
    assert list(rows["quantity"]) == ["kendall", "spearman", "difference"]
    assert (rows["networks"] == 0).all() and rows["bootstrap_low"].isna().all() and rows["value"].isna().all()


def test_the_jackknifes_part_is_that_of_the_plain_functions():
    table = bootstrap_table(joined({"params": PARAMS, "score": SCORE}, TRUTH), resamples=20)
    found = table.set_index(["proxy", "quantity"])
    plain = {"kendall": kendall(SCORE[5:], TRUTH[5:]), "spearman": spearman(SCORE[5:], TRUTH[5:])}
    for quantity, expected in plain.items():
        row = found.loc[("score", quantity)]
        assert (row["value"], row["low"], row["high"], row["networks"]) == (
            expected.value,
            expected.low,
            expected.high,
            NETWORKS - 5,
        )
    paired = compare(SCORE[5:], PARAMS[5:], TRUTH[5:])
    row = found.loc[("score", "difference")]
    assert (row["value"], row["low"], row["high"]) == (paired.difference, paired.low, paired.high)
    assert ("params", "difference") not in found.index


def test_the_bootstrap_resamples_networks_whole():
    (tau, rho) = bootstrap_table(joined({"params": PARAMS}, TRUTH), resamples=400).to_dict("records")
    random = np.random.default_rng(5)
    drawn = [random.integers(0, NETWORKS, NETWORKS) for _ in range(400)]
    for row, coefficient in ((tau, kendalltau), (rho, spearmanr)):
        by_hand = [coefficient(PARAMS[i], TRUTH[i]).statistic for i in drawn]
        assert row["bootstrap_standard_error"] == pytest.approx(np.std(by_hand), rel=0.2)
        assert (row["bootstrap_low"], row["bootstrap_high"]) == pytest.approx(
            np.quantile(by_hand, [0.025, 0.975]), abs=0.06
        )


def test_a_constant_score_has_neither_interval():
    table = bootstrap_table(joined({"params": PARAMS, "constant": np.ones(NETWORKS)}, TRUTH), resamples=20)
    rows = table[table["proxy"] == "constant"]
    assert rows[["low", "high", "bootstrap_low", "bootstrap_high", "bootstrap_standard_error"]].isna().all(axis=None)


@pytest.mark.real_data
def test_on_published_scores_both_intervals_are_the_same(real_data):
    scores = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz", index_col="net_str")
    accuracy = pd.read_csv(real_data / "nats-tss.csv.gz").set_index("arch")["cifar10/test/200"]
    sample = scores.replace(-1e8, np.nan).sample(400, random_state=0)
    columns = {name: sample[name] for name in ("params", "nwot", "zen")}
    table = bootstrap_table(joined(columns, accuracy.reindex(sample.index)), resamples=300)
    # The standard error of 300 resamples is known to 4 %, its outer percentiles to a tenth of the interval.
    assert table["standard_error"].to_numpy() == pytest.approx(table["bootstrap_standard_error"].to_numpy(), rel=0.15)
    width = table["high"] - table["low"]
    for bound in ("low", "high"):
        assert ((table[bound] - table[f"bootstrap_{bound}"]).abs() < 0.15 * width).all()
