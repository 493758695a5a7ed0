"""Bias is a difference of two Spearman correlations with one count, on the same networks, with a paired interval."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from harness.analysis.bias import bias_table, features_of
from harness.analysis.joined import Joined
from harness.analysis.scores import ProxyScores
from harness.errors import HarnessError


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    skips, convolutions = rng.integers(0, 5, size=(2, 300)).astype(float)
    truth = convolutions + rng.normal(size=300)
    fair = truth + rng.normal(size=300)
    fond = truth + 2 * skips
    fond[:30] = np.nan
    names = pd.Index([f"a{i}" for i in range(300)])
    proxies = {
        name: ProxyScores(values, np.zeros(300, dtype=np.int8)) for name, values in (("fair", fair), ("fond", fond))
    }
    return Joined(names, truth, proxies), pd.DataFrame({"skips": skips, "convolutions": convolutions}, index=names)


def test_it_is_scipys_rho_of_score_and_of_accuracy_on_the_same_networks(sample):
    joined, features = sample
    for row in bias_table(joined, features).to_dict("records"):
        used = joined.proxies[row["proxy"]].usable
        count = features[row["feature"]].to_numpy()[used]
        assert row["networks"] == used.sum()
        assert row["spearman"] == pytest.approx(spearmanr(joined.proxies[row["proxy"]].value[used], count).statistic)
        assert row["truth"] == pytest.approx(spearmanr(joined.accuracy[used], count).statistic)
        assert row["bias"] == pytest.approx(row["spearman"] - row["truth"])


def test_a_proxy_that_is_fond_of_something_shows_it(sample):
    table = bias_table(*sample).set_index(["proxy", "feature"])
    assert table.loc[("fond", "skips"), "bias_low"] > 0.5
    assert table.loc[("fair", "skips"), "bias_low"] < 0 < table.loc[("fair", "skips"), "bias_high"]


def test_features_are_matched_by_architecture_not_by_place(sample):
    joined, features = sample
    pd.testing.assert_frame_equal(bias_table(joined, features), bias_table(joined, features.iloc[::-1]))


def test_counts_that_never_vary_are_left_out():
    table = features_of(["aab", "ab"], lambda name: {"a": name.count("a"), "b": name.count("b")})
    assert table.to_dict() == {"a": {"aab": 2, "ab": 1}}


@pytest.mark.parametrize("describe", [lambda name: {}, lambda name: {"letters": 1}])
def test_without_any_count_there_is_nothing_to_tell(describe):
    with pytest.raises(HarnessError, match=r"harness\.Benchmark\.features"):
        features_of(["a", "b"], describe)
