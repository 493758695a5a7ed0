"""Searches with each proxy on stored scores, against the exact expectation and a search written out."""

import numpy as np
import pandas as pd
import pytest

import harness
from harness.analysis.search import OPTIMUM, search_table
from harness.errors import HarnessError
from harness.searching.comparison import COLUMNS, comparison_table
from harness.searching.comparison_exhibit import searches_with_each_proxy


@pytest.fixture(scope="module")
def run(digits_runs):
    return harness.open_run(digits_runs[0])


def test_random_search_is_the_exact_expectation(run):
    """The order of the distinct networks among independent draws is that of drawing without replacement."""
    sizes = [2, 6, 12]
    found = comparison_table(run, run.joined, evaluations=sizes, passes=[], searches=600)
    exact = search_table(run.joined, sizes, replacement=False).rename(columns={"draws": "length"})
    both = found.merge(exact, on=["row", "length"], suffixes=("", "_exact"))
    both = both[~both["row"].isin(["(random)"])]
    error = both["deviation_exact"] / np.sqrt(600)
    assert len(both) >= 3 * 8
    assert ((both["accuracy"] - both["accuracy_exact"]).abs() <= 4 * error + 1e-9).all()


def test_differences_are_paired_by_seed(run):
    found = comparison_table(run, run.joined, evaluations=[5], passes=[], searches=30).set_index("row")
    assert found.loc["flops", "difference"] == pytest.approx(
        found.loc["flops", "accuracy"] - found.loc["params", "accuracy"]
    )
    # #FLOPs is a function of #Params among these cells, so that each search finds the same with both.
    assert found.loc["flops", "difference"] == 0 and np.isnan(found.loc["flops", "p"])
    assert np.isnan(found.loc["params", "difference"])
    known = found["p"].notna()
    assert (found.loc[known, "p_holm"] >= found.loc[known, "p"]).all()
    assert found.loc[OPTIMUM, "regret"] >= 0
    assert list(found.reset_index()[COLUMNS]) == COLUMNS


def test_searches_of_equal_cost_score_fewer_networks_with_dearer_proxies(run):
    found = comparison_table(run, run.joined, evaluations=[3], passes=[6], searches=2)
    scored = found[found["unit"] == "passes"].set_index("row")["networks"]
    assert scored["params"] == len(run.joined), "all of them, since counting costs next to nothing"
    assert 1 <= scored["zico"] < scored["naswot"] <= len(run.joined)


def test_a_search_that_can_score_all_networks_ends_with_the_best_of_all_whatever_the_algorithm(run):
    found = comparison_table(
        run, run.joined, algorithms=["evolution", "local"], passes=[1000], rows=["zico"], searches=2
    )
    all_scored = found[(found["unit"] == "passes") & found["row"].isin(["params", "zico"])]
    assert (all_scored["networks"] == len(run.joined)).all() and len(all_scored) == 4
    zico = run.joined.proxies["zico"].value
    best = run.joined.accuracy[zico == np.nanmax(zico)]
    assert all_scored.loc[all_scored["row"] == "zico", "accuracy"].between(best.min(), best.max()).all()


def test_where_all_networks_are_scored_there_is_no_interval(run):
    found = comparison_table(run, run.joined, evaluations=[len(run.joined)], passes=[], searches=5)
    scored = found[found["row"] != "(random)"]
    assert scored["deviation"].eq(0).all()
    assert scored[["difference_low", "difference_high", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("algorithm", ["evolution", "evolution-of-all", "regularised", "local"])
def test_every_algorithm_searches_among_the_scored_networks(run, algorithm):
    found = comparison_table(
        run, run.joined, algorithms=[algorithm], evaluations=[8], passes=[], searches=3, rows=["naswot"], population=12
    )
    assert set(found["row"]) == {"naswot", "params", "(random)", OPTIMUM}
    assert (found["accuracy"] <= run.joined.accuracy.max()).all()
    assert found.set_index("row").loc[OPTIMUM, "accuracy"] >= found.set_index("row").loc["(random)", "accuracy"]


def test_a_budget_restricts_the_choice(run):
    sizes = pd.Series(run.joined.proxies["params"].value, index=run.joined.architectures)
    most = float(sizes.quantile(0.5))
    found = comparison_table(
        run, run.joined, evaluations=[12], passes=[], searches=2, budget=[f"params={most}"], rows=["params"]
    )
    within = run.joined.accuracy[(sizes <= most).to_numpy()]
    assert found.set_index("row").loc[OPTIMUM, "accuracy"] <= within.max()
    with pytest.raises(HarnessError, match="0 of the run's networks keep to params ≤ 1; give a larger budget"):
        comparison_table(run, run.joined, budget=["params=1"])


def test_the_exhibit_says_what_was_compared(run, tmp_path):
    exhibit = searches_with_each_proxy(run, searches=3, algorithms=["random", "local"], passes=[5])
    page = exhibit.markdown()
    assert "over 3 searches with different seeds among the run's 24 networks" in page
    assert "hardly more than random search here" in page
    assert {"accuracy_found.png", "searches_local_passes.csv"} <= {file.name for file in exhibit.write(tmp_path)}
