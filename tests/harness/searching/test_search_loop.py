"""The loop of a search on a space of bit strings, against the papers' loops written out in order."""

import random
from collections import deque

import numpy as np
import pytest

from harness.contracts.proxy import proxy
from harness.contracts.search_space import PlaceSpace
from harness.errors import HarnessError, UnknownNameError
from harness.searching.algorithms import ALGORITHMS, Setup, algorithm
from harness.searching.budgets import Budget, Budgets, Quantity
from harness.searching.loop import AGAIN, SCORED, Limits, Search
from harness.searching.objective import Objective
from harness.seeds import derive_seed


class Bits(PlaceSpace):
    """Eight bits."""

    name = "bits"
    choices = ("0", "1")
    length = 8

    def places(self, architecture):
        return tuple(architecture)

    def of_places(self, places):
        return "".join(places)


@proxy("value", better="higher", data="nothing", cite="nobody2026")
def value(probe):
    """A stand-in; the tests score the bits themselves."""


SPACE = Bits()
WEIGHTS = np.random.default_rng(5).normal(size=8)
NO_BUDGET = Budgets()
ONES = Budgets((Budget(Quantity("ones", "number of ones", lambda bits: float(bits.count("1"))), 5.0),))


def score(bits):
    return float(WEIGHTS @ np.array([*map(int, bits)])) + 0.3 * float("101" in bits)


def searched(name, *, evaluations=None, candidates=150, ahead=1, population=12, budgets=NO_BUDGET, seed=0, order=None):
    """A search; ``order`` decides in which order scores arrive that are on their way."""
    made = algorithm(name, Setup(SPACE, "bits", population=population))
    search = Search(
        made, Objective(("value",), (value,)), budgets, Limits(evaluations, candidates), seed=seed, ahead=ahead
    )
    waiting, before = [], set()
    while not search.ended:
        asked = search.advance()
        if asked is not None:
            assert asked not in before, "no network is scored twice"
            before.add(asked)
            waiting.append(asked)
            if order is not None and order.random() < 0.7:
                continue
        if waiting:
            chosen = waiting.pop(0 if order is None else order.randrange(len(waiting)))
            search.take(chosen, {"value": score(chosen)})
    return search


def generator(number, seed=0):
    return np.random.default_rng(derive_seed("search", seed, number))


def mutate(bits, rng, mutations):
    for _ in range(mutations):
        place = int(rng.integers(8))
        rng.integers(1)
        bits = bits[:place] + str(1 - int(bits[place])) + bits[place + 1 :]
    return bits


def draw(rng):
    return "".join(str(bit) for bit in rng.integers(2, size=8))


def test_evolution_is_the_published_loop():
    """Zen-NAS: a uniform parent, two places, the lowest dropped; rejected candidates use up an iteration."""
    population, candidates = [], []
    for number in range(300):
        rng = generator(number)
        drawn = len(population) <= 10
        bits = draw(rng) if drawn else mutate(population[int(rng.integers(len(population)))], rng, 2)
        candidates.append(bits)
        if bits.count("1") > 5:
            continue
        population.append(bits)
        if len(population) > 12:
            population.pop(min(range(13), key=lambda place: score(population[place])))
    search = searched("evolution", candidates=300, budgets=ONES)
    assert [each.architecture for each in search.candidates] == candidates
    kept = search.algorithm.population(search.values)
    assert [search.architectures()[place] for place in kept] == population
    assert {each.outcome for each in search.candidates if each.architecture.count("1") > 5} == {"ones"}


def test_regularised_evolution_drops_the_oldest():
    population, everything = deque(), []
    for number in range(200):
        rng = generator(number)
        if len(everything) < 20:
            bits = draw(rng)
        else:
            sample = [population[int(place)] for place in rng.integers(len(population), size=2)]
            bits = mutate(max(sample, key=score), rng, 1)
        everything.append(bits)
        population.append(bits)
        if len(population) > 20:
            population.popleft()
    search = searched("regularised", candidates=200, population=20)
    assert [each.architecture for each in search.candidates] == everything


def test_local_search_climbs_to_an_optimum_and_starts_again():
    search = searched("local")
    names = [each.architecture for each in search.candidates]
    current = names[0]
    place = 1
    while True:
        near = names[place : place + 8]
        assert sorted(near) == sorted(SPACE.neighbours(current)), "all neighbours are scored before a move"
        place += 8
        best = max(near, key=score)
        if score(best) <= score(current):
            break
        current = best
    assert search.candidates[place].parent is None, "a new start follows an optimum"


def test_the_best_of_all_are_the_parents_of_aznas_evolution():
    search = searched("evolution-of-all", candidates=250, population=12)
    for number in range(12, 250):
        before = [each.architecture for each in search.candidates[:number]]
        best = sorted(before, key=score, reverse=True)[:11]
        assert score(search.candidates[number].parent) >= score(best[-1])


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("ahead", [1, 5])
def test_a_search_does_not_depend_on_the_order_in_which_scores_arrive(name, ahead):
    first = searched(name, ahead=ahead, budgets=ONES)
    for seed in range(4):
        again = searched(name, ahead=ahead, budgets=ONES, order=random.Random(seed))
        assert again.candidates == first.candidates
        assert again.entered == first.entered
        assert again.values().tolist() == first.values().tolist()
    other = searched(name, ahead=ahead, budgets=ONES, seed=1)
    assert other.candidates != first.candidates


@pytest.mark.parametrize("name", ALGORITHMS)
def test_no_network_is_asked_for_twice_and_every_one_within_the_budgets(name):
    search = searched(name, budgets=ONES)
    scored = [each.architecture for each in search.candidates if each.outcome == SCORED]
    assert len(scored) == len(set(scored)) == search.evaluations
    again = [each.architecture for each in search.candidates if each.outcome == AGAIN]
    assert set(again) <= set(scored)
    assert all(each.architecture.count("1") <= 5 for each in search.candidates if each.is_accepted)


def test_more_evaluations_go_on_with_the_same_candidates():
    few, many = (searched("evolution", evaluations=count, candidates=None, ahead=4) for count in (20, 45))
    assert many.candidates[: len(few.candidates)] == few.candidates


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random"])
def test_a_search_finds_better_networks_than_random_draws(name):
    def found(algorithm, seed):
        return searched(algorithm, evaluations=40, seed=seed).values().max()

    assert np.mean([found(name, seed) - found("random", seed) for seed in range(20)]) > 0.05


def test_what_is_over_every_budget_is_said_with_numbers():
    impossible = Budgets((Budget(Quantity("ones", "number of ones", lambda bits: float(bits.count("1")) + 1), 0.5),))
    with pytest.raises(HarnessError, match=r"none of 10,000 candidates .* smallest ones of them is 1, the budget 0\.5"):
        searched("random", candidates=None, evaluations=5, budgets=impossible)


def test_a_search_that_finds_nothing_new_ends():
    search = searched("random", candidates=None, evaluations=1_000)
    assert search.ended
    assert search.evaluations == 256


def test_wrong_settings_are_refused():
    with pytest.raises(UnknownNameError, match="unknown search algorithm 'evolve': did you mean 'evolution'"):
        searched("evolve")
    with pytest.raises(HarnessError, match="a population of 1 is too small for evolution; use 2 or more"):
        searched("evolution", population=1)
    with pytest.raises(HarnessError, match="a search needs an end"):
        Limits(None)
    with pytest.raises(HarnessError, match="0 evaluations is no search; give 1 or more"):
        Limits(0)
    with pytest.raises(UnknownNameError, match="unknown distribution of mutations 'odd'"):
        algorithm("evolution", Setup(SPACE, "bits", moves="odd"))
