"""The recorded graph of a forward pass, the state of a walk over it, and what a rule for one kind of node does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from torch import Tensor

Edge = tuple[Any, int]
"""An output of a node of the graph: the node, and the index of the output."""

CONVOLUTION = "ConvolutionBackward"

Along = list[Tensor | None]
Passed = Iterator[tuple[Edge, Tensor]]


@dataclass(frozen=True)
class Graph:
    """The graph of a forward pass, as far as the requested weights need it.

    Attributes:
        leaves: the requested weights, by the nodes that represent them.
        leading: those nodes and all nodes that depend on them.
        readers: the number of nodes that read each edge.
    """

    leaves: Mapping[Any, Tensor]
    leading: Collection[Any]
    readers: Counter[Edge]


@dataclass(frozen=True)
class Walk:
    """The state of a walk.

    Attributes:
        graph: the graph.
        gradients: of the loss, at the edges that the nodes need and at the requested weights.
        tangents: of node outputs.
        sums: of a batch norm's normalised input times the tangent of its input, over each channel.
        together: convolutions that receive the sum of the gradient and its tangent.
    """

    graph: Graph
    gradients: Mapping[Edge, Tensor]
    tangents: dict[Edge, Tensor]
    sums: dict[Any, Tensor] = field(default_factory=dict)
    together: set[Any] = field(default_factory=set)


class Rule(Protocol):
    """One kind of node.

    Attributes:
        reads: the attributes of torch's node that the rule reads; another version of torch may lack them.
    """

    reads: ClassVar[tuple[str, ...]]

    def needs(self, node: Any, graph: Graph) -> list[Edge] | None:
        """The edges at which the walk down needs the loss gradient; None if there is no closed form."""

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        """The tangent of the node's output, from the tangents of its inputs, at least one of which is not None."""

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        """The tangents that the node passes back, each with its edge, only towards requested weights.

        Args:
            node: of the graph.
            moved: the tangent of the gradient that reaches the node; None for zero.
            walk: the state of the walk.
        """


def sum_of_those(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """The sum of the tensors that are not None."""
    if first is None or second is None:
        return second if first is None else first
    return first + second


def kind_of(node: Any) -> str:
    """Torch's name for a node, without the number of its overload."""
    return str(node.name()).rstrip("0123456789")
