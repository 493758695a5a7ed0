"""Every registered search space keeps the contract, and each of its tests catches the space that breaks its promise."""

from __future__ import annotations

import random

import numpy as np
import pytest
from toy_benchmarks import Toy

from harness.contracts import PlaceSpace, SearchSpace
from harness.contracts.search_space import Block
from harness.errors import HarnessError
from harness.registry import benchmark_classes
from harness.testing import SearchSpaceContract


class Registered(SearchSpaceContract):
    """With the real table of the benchmark's name, where real data are at hand."""

    @pytest.fixture
    def table_file(self, request):
        try:
            path = request.getfixturevalue("real_data") / f"{self.benchmark.name}.csv.gz"
        except pytest.skip.Exception:
            return None
        return path if path.is_file() and self.benchmark.name == "nasbench101" else None


for _name, _class in benchmark_classes().items():
    if issubclass(_class, SearchSpace):
        # Zen-NAS's networks grow on a walk, and take seconds to build.
        _facts = {"benchmark": _class} | ({"walk": 6, "builds": 1} if _name.startswith("zen") else {})
        _test = type(f"Test_{_name}", (Registered,), _facts)
        # Its table of 423,624 cells takes seconds to read.
        globals()[f"Test_{_name.replace('-', '_')}"] = pytest.mark.nightly(_test) if _name == "nasbench101" else _test


class Widths(PlaceSpace, Toy):
    """The toy with its width as the one place; nothing is wrong with it."""

    choices = tuple(str(width) for width in range(1, 9))
    length = 1
    quantities = {"params": "number of weights"}  # noqa: RUF012

    def places(self, architecture):
        if architecture not in self.architectures():
            raise HarnessError(f"'{architecture}' is no width")
        return (architecture[6:],)

    def of_places(self, places):
        return f"width-{places[0]}"

    def quantity(self, name, architecture, dataset):
        width, classes = int(architecture[6:]), self.task(dataset).classes
        return width * 9 + width + 2 * width + classes * (width + 1)

    def blocks(self, architecture):
        return (Block("convolution", int(architecture[6:]), 1),)


class TestWidths(SearchSpaceContract):
    benchmark = Widths


class NoMoves(Widths):
    moves = ()


class AlwaysTheSame(Widths):
    def random(self, generator):
        return "width-3"


class GlobalDraws(Widths):
    def random(self, generator):
        return f"width-{random.randint(1, 8)}"


class MutatesNothing(Widths):
    def mutate(self, architecture, generator, mutations=1, moves=None):
        return architecture


class LeavesTheSpace(Widths):
    def mutate(self, architecture, generator, mutations=1, moves=None):
        return f"width-{int(architecture[6:]) + 8}"


class ItsOwnNeighbour(Widths):
    def neighbours(self, architecture):
        return [*super().neighbours(architecture), architecture]


class NeighbourTwice(Widths):
    def neighbours(self, architecture):
        return [*super().neighbours(architecture)] * 2


class OrderOfTheMoment(Widths):
    def neighbours(self, architecture):
        return list(np.random.default_rng().permutation(super().neighbours(architecture)))


class ChildOfNobody(Widths):
    def crossover(self, first, second, generator):
        return first + second


class OtherParams(Widths):
    def quantity(self, name, architecture, dataset):
        return super().quantity(name, architecture, dataset) + 1


class NoSize(Widths):
    def quantity(self, name, architecture, dataset):
        return float("nan")


class FlatBlock(Widths):
    def blocks(self, architecture):
        return (Block("convolution", 0, 1),)


class AnythingGoes(Widths):
    def mutate(self, architecture, generator, mutations=1, moves=None):
        return self.random(generator)


@pytest.mark.parametrize(
    "space, test, arguments, words",
    [
        (NoMoves, "it_has_a_default_distribution_of_mutations", (), "at least one distribution"),
        (AlwaysTheSame, "a_search_can_start", (), "for twenty different generators"),
        (GlobalDraws, "a_move_is_a_function_of_its_generator", ("random",), "draws from a global random state"),
        (MutatesNothing, "every_mutation_is_an_architecture", (), "changed nothing"),
        (LeavesTheSpace, "every_mutation_is_an_architecture", (), "build.. does not accept"),
        (ItsOwnNeighbour, "neighbours_are_other_architectures_in_a_fixed_order", (), "lists the architecture itself"),
        (NeighbourTwice, "neighbours_are_other_architectures_in_a_fixed_order", (), "lists one twice"),
        (OrderOfTheMoment, "neighbours_are_other_architectures_in_a_fixed_order", (), "same order in every call"),
        (ChildOfNobody, "a_crossover_is_an_architecture", (), "build.. does not accept"),
        (OtherParams, "sizes_are_those_of_the_network", (), "the network has"),
        (NoSize, "sizes_are_those_of_the_network", (), "is nan; it must be 0 or more"),
        (FlatBlock, "blocks_are_drawable", (), "needs a label"),
        (AnythingGoes, "what_is_no_architecture_is_refused", (), "it was accepted"),
    ],
)
def test_a_broken_promise_is_caught(space, test, arguments, words):
    contract = type("OfABrokenSpace", (SearchSpaceContract,), {"benchmark": space})()
    with pytest.raises(AssertionError, match=words):
        getattr(contract, f"test_{test}")(space(), *arguments)


def test_every_promise_is_broken_once():
    """No test of the contract can be one that never fails."""
    (mark,) = test_a_broken_promise_is_caught.pytestmark
    broken = {f"test_{case[1]}" for case in mark.args[1]}
    assert broken == {name for name in dir(SearchSpaceContract) if name.startswith("test_")}
