"""Pareto fronts, against comparing every network with every other, and against drawing every tie."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined

from harness.analysis.pareto import Choice, expected_best, front_of, hypervolume, pareto_table, random_front
from harness.analysis.search import OPTIMUM, RANDOM
from harness.errors import HarnessError


def not_dominated(cost, value):
    """By the definition, in n²."""
    usable = [i for i in range(len(cost)) if np.isfinite(cost[i]) and np.isfinite(value[i])]
    return {
        i
        for i in usable
        if not any(
            cost[j] <= cost[i] and value[j] >= value[i] and (cost[j] < cost[i] or value[j] > value[i]) for j in usable
        )
    }


def area(cost, accuracy, chosen, reference):
    """The area under the steps, from the definition of a hypervolume: unit squares of an integer grid."""
    return sum(
        any(cost[i] <= x and accuracy[i] >= y + 1 for i in chosen)
        for x in range(int(reference[0]))
        for y in range(int(reference[1]), 10)
    )


NUMBER = st.one_of(st.just(np.nan), st.integers(0, 6))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NUMBER, NUMBER), max_size=12))
def test_the_front_are_the_networks_that_nothing_dominates(networks):
    cost, value = np.array(networks, dtype=float).reshape(-1, 2).T
    front = front_of(cost, value)
    assert sorted(i for choice in front for i in choice.members) == sorted(not_dominated(cost, value))
    costs = [choice.cost for choice in front]
    assert costs == sorted(set(costs))
    assert all(len(set(value[choice.members])) == 1 for choice in front)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=7))
def test_ties_are_drawn_at_random(networks):
    cost, score, accuracy = np.array(networks, dtype=float).T
    front = front_of(cost, score)
    draws = [np.maximum.accumulate(accuracy[list(drawn)]) for drawn in product(*(c.members for c in front))]
    assert expected_best(front, accuracy) == pytest.approx(np.mean(draws, axis=0))

    reference = cost.max(), accuracy.min()
    areas = [area(cost, accuracy, drawn, reference) for drawn in product(*(c.members for c in front))]
    full = area(cost, accuracy, range(len(cost)), reference)
    true = not_dominated(cost, accuracy)
    found = [sum(i in true for i in drawn) for drawn in product(*(c.members for c in front))]
    row = pareto_table(joined({"p": score}, accuracy), cost)[0].set_index("row").loc["p"]
    assert row["hypervolume"] == pytest.approx(np.mean(areas) / full if full else np.nan, nan_ok=True)
    assert row["found"] == pytest.approx(np.mean(found))
    assert row["choices"] == len(front)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=5))
def test_a_random_score_is_the_mean_over_all_orders(networks):
    cost, accuracy = np.array(networks, dtype=float).T
    front = random_front(cost)
    levels = [choice.cost for choice in front]
    reached, trained = [], []
    for score in permutations(range(len(cost))):
        chosen = front_of(cost, np.array(score, dtype=float))
        best = expected_best(chosen, accuracy)
        steps = [choice.cost for choice in chosen]
        reached.append([best[np.searchsorted(steps, level, side="right") - 1] for level in levels])
        trained.append(len(chosen))
    assert expected_best(front, accuracy) == pytest.approx(np.mean(reached, axis=0))
    assert sum(choice.probability for choice in front) == pytest.approx(np.mean(trained))


def test_a_score_that_cannot_tell_networks_apart_does_not_get_all_of_them():
    accuracy, cost = np.array([50.0, 90.0, 60.0, 96.0]), np.array([1.0, 1, 2, 2])
    table = pareto_table(joined({"size": cost}, accuracy), cost)[0].set_index("row")
    assert table.loc["size", "choices"] == 2
    assert table.loc["size", "hypervolume"] == pytest.approx((70 - 50) / (90 - 50))
    assert table.loc["size", "found"] == pytest.approx(0.5 + 0.5)


def test_the_true_scores_choose_the_true_front():
    rng = np.random.default_rng(0)
    accuracy, cost = rng.random(80), rng.random(80)
    table, points = pareto_table(joined({"p": accuracy * 3, "q": -accuracy}, accuracy), cost)
    rows = table.set_index("row")
    for row in ("p", OPTIMUM):
        assert rows.loc[row, "hypervolume"] == pytest.approx(1)
        assert rows.loc[row, "found"] == rows.loc[row, "front"] == len(not_dominated(cost, accuracy))
    assert rows.loc["q", "hypervolume"] < rows.loc[RANDOM, "hypervolume"] < 1
    front = points[points["row"] == OPTIMUM]
    assert front["cost"].is_monotonic_increasing and front["accuracy"].is_monotonic_increasing


def test_networks_without_a_score_or_cost_are_never_chosen():
    score, accuracy = [np.nan, 1, 2, 9], [99.0, 50.0, 60.0, 100.0]
    table, points = pareto_table(joined({"p": score}, accuracy), np.array([1.0, 2, 3, np.nan]))
    row = table.set_index("row").loc["p"]
    assert (row["scored"], row["choices"]) == (2, 2)
    assert points[points["row"] == "p"]["accuracy"].tolist() == [50, 60]
    assert row["front"] == 1


def test_a_proxy_without_scores_has_no_front():
    row = pareto_table(joined({"p": [np.nan] * 2}, [1, 2]), np.array([1.0, 2]))[0].set_index("row").loc["p"]
    assert (row["choices"], row["found"]) == (0, 0) and np.isnan(row["hypervolume"])


def test_points_that_bring_nothing_are_left_out():
    points = pareto_table(joined({"p": [1, 2, 3]}, [50, 40, 60]), np.array([1.0, 2, 3]))[1]
    assert points[points["row"] == "p"][["cost", "accuracy"]].to_numpy().tolist() == [[1, 50], [3, 60]]


def test_no_area_is_no_share():
    table = pareto_table(joined({"p": [1, 2]}, [50, 60]), np.array([3.0, 3.0]))[0]
    assert table["hypervolume"].isna().all()


def test_hypervolume_is_the_area_to_the_reference_point():
    assert hypervolume(np.array([1.0, 3.0]), np.array([50.0, 80.0]), (4.0, 40.0)) == (3 - 1) * 10 + (4 - 3) * 40


def test_singles_and_ties_give_the_same_where_both_apply():
    accuracy = np.array([3.0, 1.0, 2.0])
    front = [Choice(float(i), np.array([i])) for i in range(3)]
    doubled = [Choice(choice.cost, np.repeat(choice.members, 2)) for choice in front]
    assert expected_best(front, accuracy).tolist() == expected_best(doubled, accuracy).tolist() == [3, 3, 3]


def test_without_any_cost_there_is_no_front():
    with pytest.raises(HarnessError, match="no network has a cost"):
        pareto_table(joined({"p": [1, 2]}, [1, 2]), np.full(2, np.nan))
