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

from harness.errors import HarnessError

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
        quantities: what a budget may limit, each with its meaning and unit. ``params`` and ``flops`` always mean what
            the proxies of these names count.
        moves: named distributions of mutations, the default first.
    """

    quantities: ClassVar[Mapping[str, str]] = {
        "params": "number of parameters",
        "flops": "multiply-accumulates of one image",
    }
    moves: ClassVar[tuple[str, ...]] = ("uniform",)

    @abstractmethod
    def initial(self, dataset: str) -> str:
        """The architecture that a search starts from where it does not start from random ones."""

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

    @abstractmethod
    def quantity(self, name: str, architecture: str, dataset: str) -> float:
        """One of :attr:`quantities` of an architecture's network, without building it where that is possible."""

    def blocks(self, architecture: str) -> Sequence[Block]:
        """The blocks of the network from input to output, for a drawing; none if the space does not define them."""
        return ()

    @property
    def _called(self) -> str:
        return str(getattr(self, "name", type(self).__name__))
