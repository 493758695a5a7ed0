"""The search-space contract: how to move between architectures, and what may be limited by a budget.

A benchmark whose class also derives from :class:`SearchSpace` can be searched with ``harness search``. Its networks
come from :meth:`harness.contracts.benchmark.Benchmark.build`, which must accept every architecture that a move makes,
listed among :meth:`~harness.contracts.benchmark.Benchmark.architectures` or not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness._utils.names import unknown_name
from harness.errors import HarnessError, UnknownNameError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Block:
    """One block of a network, for a drawing of its structure as a strip.

    Attributes:
        label: what it is, such as ``E6K7``.
        channels: number of output channels; the height in the drawing.
        layers: number of layers; the width in the drawing.
        stride: of its first layer; where it is more than 1, the resolution falls.
    """

    label: str
    channels: int
    layers: int
    stride: int = 1


class SearchSpace(ABC):
    """Architectures that can be reached from each other by small changes.

    Every random choice comes from the generator that is given, so that a search can be repeated.

    Attributes:
        quantities: what a budget may limit besides ``params`` and ``flops``, each with its meaning and unit. A space
            with formulas for these two lists them too; otherwise they are counted from the networks.
        moves: named distributions of mutations, the default first.
    """

    quantities: ClassVar[Mapping[str, str]] = {}
    moves: ClassVar[tuple[str, ...]] = ("uniform",)

    def initial(self, dataset: str) -> str:
        """The architecture that a search starts from, in a space that cannot be drawn from.

        Raises:
            HarnessError: if searches of this space start from random architectures.
        """
        raise HarnessError(f"{self._called} has no initial architecture; searches of it start from random ones")

    @abstractmethod
    def mutate(
        self, architecture: str, generator: np.random.Generator, mutations: int = 1, moves: str | None = None
    ) -> str:
        """A valid architecture that differs from the given one in at most ``mutations`` places.

        Args:
            architecture: the parent.
            generator: of all random choices.
            mutations: number of places that are drawn to be changed.
            moves: one of :attr:`moves`; default: the first.

        Raises:
            HarnessError: if the architecture is not valid.
        """

    def random(self, generator: np.random.Generator) -> str:
        """An architecture drawn uniformly from the whole space.

        Raises:
            HarnessError: if the space has no such distribution.
        """
        raise HarnessError(f"{self._called} cannot be drawn from uniformly; search by evolution from an initial one")

    def neighbours(self, architecture: str) -> Sequence[str]:
        """All architectures that differ in one place, in an order that never changes.

        Raises:
            HarnessError: if they are too many to be listed, or the architecture is not valid.
        """
        raise HarnessError(f"the neighbours of an architecture of {self._called} are too many to be listed")

    def crossover(self, first: str, second: str, generator: np.random.Generator) -> str:
        """A valid architecture whose places come from either of two.

        Raises:
            HarnessError: if the space does not define it.
        """
        raise HarnessError(f"{self._called} does not define a crossover of two architectures")

    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities` of an architecture's network, without building it where that is possible."""
        self.check_quantity(name)
        raise HarnessError(f"{self._called} does not say how '{name}' is counted; implement quantity()")

    def check_quantity(self, name: str) -> None:
        """Raise UnknownNameError for what is not among :attr:`quantities`; the message suggests similar names."""
        if name not in self.quantities:
            raise UnknownNameError(unknown_name(f"quantity of {self._called}", name, self.quantities))

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The blocks of the network from input to output, for a drawing; none if the space does not define them."""
        return ()

    @property
    def _called(self) -> str:
        return str(getattr(self, "name", type(self).__name__))


class NeighbourSpace(SearchSpace):
    """A space that lists the neighbours of an architecture: a mutation is a uniformly drawn neighbour."""

    @abstractmethod
    def neighbours(self, architecture: str) -> Sequence[str]:
        """All architectures that differ in one place, in an order that never changes."""

    def mutate(
        self, architecture: str, generator: np.random.Generator, mutations: int = 1, moves: str | None = None
    ) -> str:
        """A walk of ``mutations`` steps, each to a uniformly drawn neighbour."""
        for _ in range(mutations):
            near = self.neighbours(architecture)
            architecture = near[int(generator.integers(len(near)))]
        return architecture


class PlaceSpace(NeighbourSpace):
    """A space of architectures with a fixed number of places and choices at each, such as cells with edges.

    Attributes:
        choices: what a place may hold, in a space with the same choices at each.
        length: the number of places.
    """

    choices: ClassVar[Sequence[str]]
    length: ClassVar[int]

    def choices_at(self, place: int) -> Sequence[str]:
        """What a place, counted from 0, may hold; by default :attr:`choices`."""
        return self.choices

    @abstractmethod
    def places(self, architecture: str) -> tuple[str, ...]:
        """The choice at each place; raises HarnessError for anything that is not an architecture."""

    @abstractmethod
    def of_places(self, places: Sequence[str]) -> str:
        """The architecture with these choices."""

    def random(self, generator: np.random.Generator) -> str:
        """A uniformly drawn choice at each place."""
        choices = [self.choices_at(place) for place in range(self.length)]
        drawn = generator.integers([len(each) for each in choices])
        return self.of_places([each[number] for each, number in zip(choices, drawn, strict=True)])

    def neighbours(self, architecture: str) -> Sequence[str]:
        """Those with another choice at one place, by place and then by choice."""
        here = self.places(architecture)
        return [
            self.of_places([*here[:place], choice, *here[place + 1 :]])
            for place in range(len(here))
            for choice in self.choices_at(place)
            if choice != here[place]
        ]

    def mutate(
        self, architecture: str, generator: np.random.Generator, mutations: int = 1, moves: str | None = None
    ) -> str:
        """Another choice, uniformly drawn, at ``mutations`` places drawn with replacement."""
        here = list(self.places(architecture))
        for _ in range(mutations):
            place = int(generator.integers(len(here)))
            others = [choice for choice in self.choices_at(place) if choice != here[place]]
            here[place] = others[int(generator.integers(len(others)))]
        return self.of_places(here)

    def crossover(self, first: str, second: str, generator: np.random.Generator) -> str:
        """At each place, the choice of either parent with equal probability."""
        takes = generator.integers(2, size=self.length)
        pairs = zip(self.places(first), self.places(second), takes, strict=True)
        return self.of_places([theirs if take else ours for ours, theirs, take in pairs])
