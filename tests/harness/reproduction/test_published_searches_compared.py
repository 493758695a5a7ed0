"""Chances and accuracies of what is chosen among networks drawn with replacement."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.search import chances
from harness.reproduction.search import _ours, choice

SCORES = st.lists(st.integers(0, 4) | st.just(float("nan")), min_size=1, max_size=4)


def by_enumeration(scores, networks):
    """The chances from every possible draw; equal scores share a win, NaN never beats a number."""
    won = np.zeros(len(scores))
    draws = list(itertools.product(range(len(scores)), repeat=networks))
    rank = [(-1.0 if np.isnan(score) else score) for score in scores]
    for draw in draws:
        best = [i for i in draw if rank[i] == max(rank[j] for j in draw)]
        for i in best:
            won[i] += 1 / len(best)
    return won / len(draws)


@given(SCORES, st.integers(1, 4))
def test_chances_are_those_of_every_possible_draw(scores, networks):
    assert chances(np.array(scores, dtype=float), networks) == pytest.approx(by_enumeration(scores, networks))


@given(SCORES, st.integers(1, 50))
def test_chances_sum_to_one(scores, networks):
    assert chances(np.array(scores, dtype=float), networks).sum() == pytest.approx(1)


def test_one_draw_is_a_random_network():
    accuracy = np.array([10.0, 20.0, 60.0])
    found = choice(np.array([3.0, 1.0, 2.0]), accuracy, 1)
    assert found == pytest.approx((accuracy.mean(), accuracy.std()))


def test_many_draws_choose_the_best_score_whatever_its_accuracy():
    mean, deviation = choice(np.array([3.0, 1.0, 2.0]), np.array([10.0, 20.0, 60.0]), 200)
    assert mean == pytest.approx(10)
    assert deviation == pytest.approx(0, abs=1e-6)


def test_mean_and_deviation_are_those_of_simulated_searches():
    rng = np.random.default_rng(0)
    scores, accuracy = rng.normal(size=(2, 40))
    draws = rng.integers(40, size=(40_000, 7))
    chosen = accuracy[draws[np.arange(len(draws)), scores[draws].argmax(axis=1)]]
    found = choice(scores, accuracy, 7)
    assert found.mean == pytest.approx(chosen.mean(), abs=0.02)
    assert found.deviation == pytest.approx(chosen.std(), abs=0.02)


def test_the_mean_of_many_searches_is_held_to_the_spread_of_means():
    accuracy = np.random.default_rng(0).normal(90, 1, 500)
    found = _ours(np.zeros(500), accuracy, 1, 100)
    assert found["deviation"] == pytest.approx(accuracy.std())
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * accuracy.std() / 10, rel=0.05)
