"""Random search with a proxy: the closed form against every draw there is, and against searches that were drawn."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import joined

from harness.analysis.search import (
    OPTIMUM,
    RANDOM,
    best_rank_distribution,
    growth_table,
    search_table,
    simulated_search,
)
from harness.errors import HarnessError


def by_brute_force(score, accuracy, draws, replacement):
    """Mean and standard deviation over all draws, each with every choice among its best, NaN being worst."""
    score = np.where(np.isnan(score), -np.inf, score)
    indices = range(len(score))
    every = product(indices, repeat=draws) if replacement else combinations(indices, draws)
    means, squares = [], []
    for drawn in every:
        best = max(score[i] for i in drawn)
        chosen = [accuracy[i] for i in drawn if score[i] == best]
        means.append(np.mean(chosen))
        squares.append(np.mean(np.square(chosen)))
    return np.mean(means), np.sqrt(max(np.mean(squares) - np.mean(means) ** 2, 0))


def found(table, row, draws):
    line = table[(table["row"] == row) & (table["draws"] == draws)]
    return line["accuracy"].item(), line["deviation"].item()


NETWORKS = st.lists(
    st.tuples(st.one_of(st.just(np.nan), st.integers(0, 3)), st.integers(0, 100)), min_size=1, max_size=5
)


@settings(max_examples=80, deadline=None)
@given(NETWORKS, st.integers(1, 4), st.booleans())
def test_it_is_the_mean_over_all_draws_with_ties_broken_at_random(networks, draws, replacement):
    score, accuracy = map(np.array, zip(*[(float(s), float(a)) for s, a in networks], strict=True))
    draws = draws if replacement else min(draws, len(networks))
    table = search_table(joined({"p": score}, accuracy), [draws], replacement=replacement)
    expected = by_brute_force(score, accuracy, draws, replacement)
    assert found(table, "p", draws) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("replacement", [True, False])
def test_searches_that_were_drawn_agree(replacement):
    rng = np.random.default_rng(0)
    accuracy = rng.normal(90, 3, size=60)
    scores = {"good": accuracy + rng.normal(size=60), "tied": rng.integers(0, 3, size=60)}
    scores["partial"] = np.where(rng.random(60) < 0.8, np.nan, accuracy)
    pool = joined(scores, accuracy)
    exact = search_table(pool, [2, 10, 40], replacement=replacement)
    drawn = simulated_search(pool, [2, 10, 40], replacement=replacement, repetitions=10_000)
    pd.testing.assert_frame_equal(
        exact.drop(columns=["accuracy", "deviation"]), drawn.drop(columns=["accuracy", "deviation"])
    )
    error = exact["deviation"] / 100
    assert ((drawn["accuracy"] - exact["accuracy"]).abs() <= 4 * error + 1e-9).all()
    assert np.allclose(drawn["deviation"], exact["deviation"], rtol=0.15)


def test_one_draw_is_a_random_network_whatever_the_score():
    accuracy = [10.0, 50.0, 93.0]
    table = search_table(joined({"p": [3, 2, 1]}, accuracy), [1])
    for row in ("p", RANDOM, OPTIMUM):
        assert found(table, row, 1) == pytest.approx((np.mean(accuracy), np.std(accuracy)))


def test_all_networks_drawn_without_replacement_leave_nothing_to_chance():
    table = search_table(joined({"p": [1, 2, 3]}, [10.0, 93.0, 50.0]), [3], replacement=False)
    assert found(table, "p", 3) == (50, 0)
    assert found(table, OPTIMUM, 3) == (93, 0)


def test_a_network_without_a_score_is_chosen_only_where_no_other_was_drawn():
    table = search_table(joined({"p": [np.nan, 1.0]}, [100.0, 0.0]), [3])
    assert found(table, "p", 3)[0] == pytest.approx(100 / 8)
    assert table.set_index("row").loc["p", "scored"] == 1


def test_a_proxy_without_any_score_chooses_at_random():
    table = search_table(joined({"p": [np.nan, np.nan]}, [100.0, 0.0]), [5])
    assert found(table, "p", 5) == found(table, RANDOM, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=12), st.booleans())
def test_knowing_the_truth_grows_with_n_and_no_proxy_does_better(accuracy, replacement):
    sizes = range(1, len(accuracy) + 1)
    pool = joined({"p": np.arange(len(accuracy))}, accuracy)
    table = search_table(pool, sizes, replacement=replacement)
    growth = growth_table(table).set_index("row")
    assert growth.loc[OPTIMUM, "grows"]
    assert growth.loc[RANDOM, "change"] == pytest.approx(0)
    wide = table.pivot(index="draws", columns="row", values="accuracy")
    assert (wide[OPTIMUM] >= wide["p"] - 1e-9).all()


def test_a_score_that_is_wrong_at_the_top_peaks_and_falls():
    accuracy = np.append(np.arange(99.0), 0)
    table = search_table(joined({"p": np.arange(100)}, accuracy), [1, 10, 1000])
    row = growth_table(table).set_index("row").loc["p"]
    assert (row["grows"], row["peak"]) == (False, 10)
    assert row["change"] == pytest.approx(found(table, "p", 1000)[0] - found(table, "p", 1)[0])


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_the_distribution_of_the_best_rank_is_that_of_the_definition(networks, draws, replacement):
    from math import comb

    draws = draws if replacement else min(draws, networks)
    below = best_rank_distribution(networks, draws, replacement=replacement)
    expected = [
        (r / networks) ** draws if replacement else comb(r, draws) / comb(networks, draws) for r in range(networks + 1)
    ]
    assert below == pytest.approx(expected, abs=1e-12)


def test_epe_nas_sizes_are_the_default_and_those_too_large_are_left_out_without_replacement():
    pool = joined({"p": np.arange(200)}, np.arange(200))
    assert sorted(set(search_table(pool)["draws"])) == [10, 100, 500, 1000]
    assert sorted(set(search_table(pool, replacement=False)["draws"])) == [10, 100]
    few = joined({"p": np.arange(4)}, np.arange(4))
    assert set(search_table(few, replacement=False)["draws"]) == {4}


@pytest.mark.parametrize(
    ("sizes", "replacement", "words"),
    [([0, 10], True, "1 or more"), ([], True, "1 or more"), ([4], False, "4 of 3 networks cannot be drawn without")],
)
def test_what_cannot_be_drawn_is_refused(sizes, replacement, words):
    with pytest.raises(HarnessError, match=words):
        search_table(joined({"p": [1, 2, 3]}, [1, 2, 3]), sizes, replacement=replacement)


def test_an_empty_pool_and_a_single_repetition_are_refused():
    with pytest.raises(HarnessError, match="no networks to draw"):
        search_table(joined({"p": []}, []))
    with pytest.raises(HarnessError, match="2 or more"):
        simulated_search(joined({"p": [1, 2]}, [1, 2]), repetitions=1)


def test_one_seed_gives_one_simulation():
    pool = joined({"p": [1, 2, 3]}, [3, 1, 2])
    first, again, other = (simulated_search(pool, [2], repetitions=50, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
