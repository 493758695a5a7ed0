"""What a search maximises, against the definitions written out."""

import numpy as np
import pytest
from scipy.stats import rankdata

from harness.aggregates import az_nas
from harness.errors import HarnessError, UnknownNameError
from harness.searching.objective import objective

SCORES = {"zen": np.array([1.0, 3.0, np.nan, 2.0]), "naswot": np.array([5.0, 1.0, 9.0, 7.0])}


def test_one_proxy_is_its_score_and_nothing_is_worse_than_none():
    assert objective("zen").values(SCORES).tolist() == [1.0, 3.0, -np.inf, 2.0]
    assert not objective("zen").depends_on_pool


def test_several_proxies_are_the_mean_of_their_ranks():
    ranks = np.mean([rankdata([1, 3, -np.inf, 2]), rankdata([5, 1, 9, 7])], axis=0)
    values = objective("zen, naswot").values(SCORES)
    assert values.tolist() == [ranks[0], ranks[1], -np.inf, ranks[3]]
    assert objective("zen,naswot").words == "mean rank of Zen-Score, NASWOT"


def test_an_aggregate_is_computed_over_the_networks_that_have_all_its_parts():
    rng = np.random.default_rng(0)
    parts = {part: rng.normal(size=6) for part in az_nas.parts}
    parts[az_nas.parts[1]][2] = np.nan
    pool = np.array([0, 1, 3, 4, 5])
    made = objective("az_nas")
    assert {proxy.name for proxy in made.proxies} == set(az_nas.parts)
    values = made.values(parts)
    assert values[2] == -np.inf
    assert values[pool].tolist() == az_nas({name: values[pool] for name, values in parts.items()}).tolist()


def test_further_proxies_are_scored_and_ignored():
    made = objective("zen", also="params,naswot")
    assert [proxy.name for proxy in made.proxies] == ["zen", "params", "naswot"]
    assert made.names == ("zen",)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="unknown proxy 'zon'"):
        objective("zon")
    with pytest.raises(HarnessError, match="a search needs a proxy to maximise"):
        objective("")
