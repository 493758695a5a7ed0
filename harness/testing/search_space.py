"""The contract of a search space, as tests: starts, moves, sizes and drawings."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import ClassVar, cast

import numpy as np
import pytest
import torch

from harness.contracts.benchmark import Benchmark
from harness.contracts.search_space import Block, SearchSpace
from harness.errors import DataError
from harness.testing.benchmark.subject import Contract, refusal

NO_ARCHITECTURE = "no architecture of any space"


class SearchSpaceContract(Contract):
    """The complete contract of a search space, as tests; subclass it and set ``benchmark``.

    What a space does not define, such as a crossover, is not tested. That a network can be built from what a move makes
    is tested on a few networks; :class:`harness.testing.BenchmarkContract` tests the networks themselves.

    Attributes:
        benchmark: the class under test, which is a search space too.
        table: as for :class:`harness.testing.BenchmarkContract`.
        dataset: the data set; by default the first.
        start: the architecture that moves start from; by default a random one, or the initial one.
        walk: the number of moves that are followed.
        builds: the number of networks that are built on the way.
    """

    dataset: ClassVar[str | None] = None
    start: ClassVar[str | None] = None
    walk: ClassVar[int] = 30
    builds: ClassVar[int] = 2

    @pytest.fixture
    def space(self, subject: Benchmark) -> SearchSpace:
        """A new instance; skips the test if its architectures come from a table and there is none."""
        assert isinstance(subject, SearchSpace), (
            f"{self.benchmark.__name__} must derive from harness.contracts.SearchSpace"
        )
        if defines(subject, "random"):
            try:
                subject.random(np.random.default_rng(0))
            except DataError as reason:
                pytest.skip(f"its architectures come from its table, and 'table' is not set: {reason}")
        return subject

    def test_it_has_a_default_distribution_of_mutations(self, space: SearchSpace) -> None:
        """A search names the distribution that it uses."""
        moves = space.moves
        assert moves and all(isinstance(name, str) and name for name in moves), (
            "moves must name at least one distribution of mutations, the default first"
        )
        assert len(set(moves)) == len(moves), f"moves lists a name twice: {moves}"

    def test_a_search_can_start(self, space: SearchSpace) -> None:
        """A space can be drawn from, or has an initial architecture."""
        if defines(space, "random"):
            drawn = {space.random(np.random.default_rng(seed)) for seed in range(20)}
            assert len(drawn) > 1, f"random() returns '{drawn.pop()}' for twenty different generators; draw from them"
        else:
            start = space.initial(self._dataset(space))
            assert isinstance(start, str) and start, f"initial() must return an architecture; it returns {start!r}"

    @pytest.mark.parametrize("move", ["mutate", "random", "crossover"])
    def test_a_move_is_a_function_of_its_generator(self, space: SearchSpace, move: str) -> None:
        """A search can be repeated, and goes on after an interruption as if there had been none."""
        make = self._moves(space).get(move)
        if make is None:
            pytest.skip(f"the space does not define {move}")
        before = _global_states()
        first = [make(np.random.default_rng(seed)) for seed in range(5)]
        assert _global_states() == before, f"{move}() draws from a global random state; draw from its generator alone"
        again = [make(np.random.default_rng(seed)) for seed in range(5)]
        assert first == again, (
            f"{move}() must take all random choices from its generator; equal ones gave {first[0]} and {again[0]}"
        )

    def test_every_mutation_is_an_architecture(self, space: SearchSpace) -> None:
        """A walk by each distribution of mutations stays within the space, and its networks can be built."""
        assert isinstance(space, Benchmark)
        for moves in space.moves:
            here, generator = self._start(space), np.random.default_rng(0)
            visited = [here]
            for step in range(self.walk):
                before, here = here, space.mutate(here, generator, 1 + step % 3, moves)
                assert isinstance(here, str), f"mutate('{before}') must return a string; it returns {here!r}"
                visited.append(here)
            assert len(set(visited)) > 1, f"{self.walk} mutations of '{visited[0]}' by '{moves}' changed nothing"
            for name in visited[:: max(1, self.walk // self.builds)][1 : self.builds + 1]:
                _built(space, name, self._dataset(space))

    def test_neighbours_are_other_architectures_in_a_fixed_order(self, space: SearchSpace) -> None:
        """Local search goes through them."""
        if not defines(space, "neighbours"):
            pytest.skip("the space does not list neighbours")
        here = self._start(space)
        near = list(space.neighbours(here))
        assert near, f"'{here}' has no neighbours"
        assert len(set(near)) == len(near), f"neighbours('{here}') lists one twice"
        assert here not in near, f"neighbours('{here}') lists the architecture itself"
        assert near == list(cast(SearchSpace, self.benchmark()).neighbours(here)), (
            f"neighbours('{here}') must have the same order in every call"
        )
        _built(space, near[-1], self._dataset(space))

    def test_a_crossover_is_an_architecture(self, space: SearchSpace) -> None:
        """Its network can be built."""
        if not defines(space, "crossover"):
            pytest.skip("the space does not define a crossover")
        child = self._moves(space)["crossover"](np.random.default_rng(1))
        _built(space, child, self._dataset(space))

    def test_sizes_are_those_of_the_network(self, space: SearchSpace) -> None:
        """Each quantity is a finite number, and ``params`` is what the built network has."""
        assert isinstance(space, Benchmark)
        here, dataset = self._start(space), self._dataset(space)
        for name, meaning in space.quantities.items():
            assert isinstance(meaning, str) and meaning.strip(), f"say in quantities what '{name}' means"
            value = space.quantity(name, here, dataset)
            assert math.isfinite(value) and value >= 0, f"quantity('{name}', '{here}') is {value}; it must be 0 or more"
        if "params" in space.quantities:
            counted = sum(each.numel() for each in space.build(here, dataset).parameters())
            declared = space.quantity("params", here, dataset)
            assert declared == counted, f"quantity('params', '{here}') is {declared:,}; the network has {counted:,}"

    def test_blocks_are_drawable(self, space: SearchSpace) -> None:
        """Where the space has a drawing, each block has a name and a size."""
        for block in space.blocks(self._start(space)):
            assert isinstance(block, Block), f"blocks() must return harness.contracts.Block objects, not {block!r}"
            assert block.label and block.channels > 0 and block.layers > 0 and block.stride > 0, (
                f"{block} needs a label, and channels, layers and a stride above 0"
            )

    def test_what_is_no_architecture_is_refused(self, space: SearchSpace) -> None:
        """By every move, in one line."""
        generator = np.random.default_rng(0)
        refusal(lambda: space.mutate(NO_ARCHITECTURE, generator), "mutate() must refuse what is no architecture")
        if defines(space, "neighbours"):
            refusal(lambda: list(space.neighbours(NO_ARCHITECTURE)), "neighbours() must refuse what is no architecture")

    def _dataset(self, space: SearchSpace) -> str:
        assert isinstance(space, Benchmark)
        return self.dataset or space.datasets[0]

    def _start(self, space: SearchSpace, seed: int = 7) -> str:
        if self.start is not None:
            return self.start
        if defines(space, "random"):
            return space.random(np.random.default_rng(seed))
        return space.initial(self._dataset(space))

    def _moves(self, space: SearchSpace) -> Mapping[str, Callable[[np.random.Generator], str]]:
        """The moves that the space defines, as functions of a generator."""
        here, other = self._start(space), self._start(space, seed=8)
        moves: dict[str, Callable[[np.random.Generator], str]] = {
            "mutate": lambda generator: space.mutate(here, generator, 2),
            "random": space.random,
            "crossover": lambda generator: space.crossover(here, other, generator),
        }
        return {name: move for name, move in moves.items() if defines(space, name)}


def defines(space: SearchSpace, name: str) -> bool:
    """Whether a space defines a move that it need not."""
    return getattr(type(space), name) is not getattr(SearchSpace, name)


def _global_states() -> tuple[object, ...]:
    """The states of Python's, numpy's and torch's global generators."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - a space may use it by mistake
    return random.getstate(), repr(numpy_state), torch.get_rng_state().numpy().tobytes()


def _built(space: SearchSpace, architecture: str, dataset: str) -> None:
    assert isinstance(space, Benchmark)
    try:
        network = space.build(architecture, dataset)
    except Exception as error:
        raise AssertionError(f"a move made '{architecture}', which build() does not accept: {error}") from error
    assert next(network.parameters(), None) is not None, f"the network of '{architecture}' has no weights"
