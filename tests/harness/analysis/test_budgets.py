"""Choosing under a budget, against a loop over the networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined

from harness.analysis.budgets import budgets_table
from harness.analysis.search import OPTIMUM, RANDOM
from harness.errors import HarnessError


def line(table, row, quantile=1.0):
    (found,) = table[(table["row"] == row) & (table["quantile"] == quantile)].to_dict("records")
    return found


NUMBER = st.one_of(st.just(np.nan), st.integers(0, 4))
NETWORKS = st.lists(st.tuples(NUMBER, st.integers(0, 100), NUMBER), min_size=1, max_size=12).filter(
    lambda networks: any(cost == cost for _, _, cost in networks)
)


@settings(max_examples=100, deadline=None)
@given(NETWORKS, st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0]))
def test_the_choice_is_the_mean_over_the_best_scored_of_the_feasible(networks, quantile):
    score, accuracy, cost = (np.array(values, dtype=float) for values in zip(*networks, strict=True))
    budget = np.quantile(cost[~np.isnan(cost)], quantile)
    feasible = [i for i in range(len(cost)) if cost[i] <= budget]
    scored = [i for i in feasible if not np.isnan(score[i])]
    chosen = [i for i in scored if score[i] == max(score[j] for j in scored)] or feasible
    found = line(budgets_table(joined({"p": score}, accuracy), cost, [quantile]), "p", quantile)
    assert found["budget"] == budget
    assert (found["feasible"], found["scored"], found["tied"]) == (len(feasible), len(scored), len(chosen))
    assert found["accuracy"] == pytest.approx(np.mean(accuracy[chosen]))
    assert found["regret"] == pytest.approx(max(accuracy[feasible]) - np.mean(accuracy[chosen]))
    assert found["regret"] >= 0


def test_random_is_the_mean_and_the_optimum_the_best_of_the_feasible():
    table = budgets_table(joined({"p": [1, 2, 3]}, [90.0, 80.0, 95.0]), np.array([1.0, 2.0, 3.0]), [0.5])
    assert line(table, RANDOM, 0.5)["accuracy"] == 85
    assert line(table, OPTIMUM, 0.5)["accuracy"] == 90
    assert line(table, OPTIMUM, 0.5)["regret"] == 0
    assert line(table, "p", 0.5)["regret"] == 10


def test_more_budget_never_harms_the_optimum():
    rng = np.random.default_rng(0)
    table = budgets_table(joined({"p": rng.random(50)}, rng.random(50)), rng.random(50))
    assert table[table["row"] == OPTIMUM]["accuracy"].is_monotonic_increasing


def test_the_tie_of_all_networks_is_a_random_choice():
    table = budgets_table(joined({"p": [1, 1, 1]}, [90.0, 80.0, 70.0]), np.array([1.0, 2.0, 3.0]))
    assert table[table["row"] == "p"]["accuracy"].tolist() == table[table["row"] == RANDOM]["accuracy"].tolist()


@pytest.mark.parametrize("quantiles", [[-0.1], [10], [0.5, np.nan], []])
def test_what_is_no_quantile_is_refused(quantiles):
    with pytest.raises(HarnessError, match="between 0 and 1"):
        budgets_table(joined({"p": [1, 2]}, [1, 2]), np.array([1.0, 2.0]), quantiles)


def test_without_any_cost_there_is_no_budget():
    with pytest.raises(HarnessError, match="no network has a cost"):
        budgets_table(joined({"p": [1, 2]}, [1, 2]), np.full(2, np.nan))
