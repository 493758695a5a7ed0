"""What a choice is worth: equal to the mean over every order of tied networks, and to other libraries' coefficients."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined
from scipy.stats import weightedtau
from sklearn.metrics import ndcg_score

from harness.analysis.selection import (
    CHANCE,
    best_of_draw,
    choose,
    ndcg,
    ranking_table,
    selection_table,
    weighted_kendall,
)
from harness.errors import HarnessError

small = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=6)


def every_top(values, size):
    """The top sets of all orders of tied items, each as often as it comes about."""
    items = range(len(values))
    last = sorted(values, reverse=True)[size - 1]
    above = [i for i in items if values[i] > last]
    tied = [i for i in items if values[i] == last]
    return [set(above) | set(drawn) for drawn in combinations(tied, size - len(above))]


@settings(deadline=None)
@given(small, st.data())
def test_it_is_the_mean_over_every_order_of_tied_networks(pairs, data):
    size = data.draw(st.integers(1, len(pairs)))
    scores, accuracy = np.array(pairs, dtype=float).T
    chosen, best = every_top(scores, size), every_top(accuracy, size)
    found = choose(scores, accuracy, size)
    assert found.overlap == pytest.approx(np.mean([len(a & b) for a in chosen for b in best]))
    tops = [max(accuracy[list(items)]) for items in chosen]
    assert found.best_accuracy == pytest.approx(np.mean(tops))
    assert found.regret == pytest.approx(accuracy.max() - np.mean(tops))
    assert found.best_rank == pytest.approx(np.mean([1 + (accuracy > top).sum() for top in tops]))


@settings(deadline=None, max_examples=30)
@given(small.filter(lambda pairs: len(pairs) > 1), st.randoms(use_true_random=False))
def test_neither_a_monotone_map_nor_the_order_of_networks_counts(pairs, random):
    scores, accuracy = np.array(pairs, dtype=float).T
    plain = choose(scores, accuracy, 2)
    assert choose(np.exp(scores), accuracy, 2) == plain
    order = list(range(len(pairs)))
    random.shuffle(order)
    assert vars(choose(scores[order], accuracy[order], 2)) == pytest.approx(vars(plain))


def test_a_perfect_score_has_no_regret():
    accuracy = np.array([50.0, 90.0, 70.0, 60.0])
    found = choose(accuracy, accuracy, 2)
    assert (found.overlap, found.best_rank, found.regret) == (2, 1, 0)


def test_a_network_without_a_score_is_never_chosen_but_counts():
    scores, accuracy = np.array([1.0, 2.0, np.nan, 0.0]), np.array([60.0, 70.0, 90.0, 80.0])
    found = choose(scores, accuracy, 1)
    assert (found.overlap, found.best_rank, found.best_accuracy, found.regret) == (0, 3, 70, 20)


def test_with_fewer_scores_than_are_to_be_chosen_it_is_undefined():
    assert math.isnan(choose(np.array([1.0, np.nan, np.nan]), np.arange(3.0), 2).overlap)


@pytest.mark.parametrize(("pool", "drawn"), [(1, 1), (5, 1), (5, 5), (6, 3), (40, 7)])
def test_the_best_of_a_draw_is_hypergeometric(pool, drawn):
    expected = [math.comb(pool - 1 - place, drawn - 1) / math.comb(pool, drawn) for place in range(pool)]
    np.testing.assert_allclose(best_of_draw(pool, drawn), expected, atol=1e-15)


def test_a_draw_from_many_neither_overflows_nor_loses_anything():
    chances = best_of_draw(400_000, 20_000)
    assert chances.sum() == pytest.approx(1)
    assert chances[0] == pytest.approx(0.05)


def test_a_choice_by_lot_finds_what_chance_does():
    table = selection_table(joined({"p": np.arange(50)}, np.arange(50)), [5], [10.0])
    lot = table[table["proxy"] == CHANCE].set_index("choice")
    assert lot.loc["5", "precision"] == pytest.approx(0.1)
    assert lot.loc["5", "best_rank"] == pytest.approx(51 / 6)
    assert table[table["proxy"] == "p"]["precision"].tolist() == [1, 1]


def test_choices_are_counts_and_rounded_shares():
    table = selection_table(joined({"p": np.arange(25)}, np.arange(25)), [1, 10, 100], [10.0])
    assert dict(zip(table["choice"], table["chosen"], strict=True)) == {"1": 1, "10": 10, "10 %": 3}


@pytest.mark.parametrize(("counts", "shares"), [([0], []), ([], [0]), ([], [200])])
def test_a_choice_of_nothing_is_refused(counts, shares):
    with pytest.raises(HarnessError, match="cannot choose"):
        selection_table(joined({"p": [1, 2]}, [1, 2]), counts, shares)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(80, 95)), min_size=2, max_size=20), st.data())
def test_ndcg_is_scikit_learns_with_an_exponential_gain(pairs, data):
    places = data.draw(st.integers(1, len(pairs)))
    scores, accuracy = np.array(pairs, dtype=float).T
    # The scale of the gains is of no account, but scikit-learn casts them to whole numbers of 64 bits.
    expected = ndcg_score([(2**accuracy - 1) / 2**95], [scores], k=places)
    assert ndcg(scores, accuracy, places) == pytest.approx(expected, rel=1e-9)


def test_ndcg_of_tied_networks_is_the_mean_over_their_orders():
    scores, accuracy = np.array([2.0, 1.0, 1.0, 1.0]), np.array([90.0, 92.0, 91.0, 93.0])
    orders = [ndcg(np.array([9.0, *order]), accuracy, 2) for order in permutations([1.0, 2.0, 3.0])]
    assert ndcg(scores, accuracy, 2) == pytest.approx(np.mean(orders))


def test_ndcg_leaves_the_places_of_networks_without_a_score_empty():
    accuracy = np.array([91.0, 90.0, 89.0])
    some = ndcg(np.array([3.0, np.nan, np.nan]), accuracy, 3)
    assert 0 < some < ndcg(np.array([3.0, 2.0, 1.0]), accuracy, 3) == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=12))
def test_weighted_tau_is_its_definition_over_pairs(pairs):
    x, y = np.array(pairs, dtype=float).T
    expected = np.mean([brute_weighted_tau(x, y, a, b) for a, b in ((x, y), (y, x))])
    assert weighted_kendall(x, y) == pytest.approx(expected, nan_ok=True)


def brute_weighted_tau(x, y, first, second):
    """Vigna's weighted τ with networks ranked by the first, ties by the second."""
    place = np.empty(len(x))
    place[np.lexsort((-second, -first))] = np.arange(len(x))
    weight = np.add.outer(1 / (1 + place), 1 / (1 + place))
    np.fill_diagonal(weight, 0)
    s, t = np.sign(np.subtract.outer(x, x)), np.sign(np.subtract.outer(y, y))
    scale = (s * s * weight).sum() * (t * t * weight).sum()
    return (s * t * weight).sum() / np.sqrt(scale) if scale else np.nan


def test_weighted_tau_is_scipys():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    for rounded in (y, np.round(y), np.round(y, 1)):
        assert weighted_kendall(x, rounded) == pytest.approx(weightedtau(x, rounded).statistic)
    assert math.isnan(weighted_kendall(np.zeros(5), np.arange(5.0)))


def test_the_table_of_coefficients_has_chance_and_the_best_first():
    accuracy = np.linspace(80, 95, 40)
    table = ranking_table(joined({"good": accuracy, "bad": -accuracy}, accuracy))
    assert list(table["proxy"]) == ["good", CHANCE, "bad"]
    assert table["ndcg"].iloc[0] == pytest.approx(1, abs=1e-12)
    assert (table["ndcg_places"] == 4).all()
    assert math.isnan(table["weighted_kendall"].iloc[1])
