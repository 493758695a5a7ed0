"""Rules of nodes without weights that are linear or piecewise linear, where torch's own node does the work."""

# ruff: noqa: D102 - the methods are described by Rule.

from __future__ import annotations

from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from harness.networks.pooling import average_pooling, average_pooling_backward
from harness.probe.curvature.graph import Along, Edge, Graph, Passed, Walk


class Linear:
    """Any linear or piecewise linear node."""

    reads: ClassVar[tuple[str, ...]] = ("_input_metadata",)

    def needs(self, node: Any, graph: Graph) -> list[Edge] | None:
        return []

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        """Apply the node forward, as the transpose of its backward function, which is all that torch keeps."""
        (given,) = node._input_metadata
        with torch.enable_grad():
            dummy = torch.zeros(given.shape, dtype=given.dtype, device=given.device, requires_grad=True)
            pairs = [(back, tangent) for back, tangent in zip(_passed(node, dummy), along, strict=True)]
            reached = [(back, tangent) for back, tangent in pairs if tangent is not None]
            (result,) = torch.autograd.grad([back for back, _ in reached], dummy, [tangent for _, tangent in reached])
        return result

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        if moved is not None:
            for edge, tangent in zip(node.next_functions, _passed(node, moved), strict=True):
                if edge[0] in walk.graph.leading and tangent is not None:
                    yield edge, tangent


def _passed(node: Any, gradient: Tensor) -> tuple[Any, ...]:
    """The gradient that the node passes back to each of its inputs."""
    found = node(gradient)
    return found if isinstance(found, tuple) else (found,)


class Diagonal(Linear):
    """An elementwise node, so its Jacobian equals its transpose."""

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        return cast("Tensor", node(along[0]))


class Addition(Linear):
    """The sum of two tensors."""

    reads = (*Linear.reads, "_saved_alpha")

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        there = [tangent for tangent in along if tangent is not None]
        (given,) = node._input_metadata
        # A node's shape is a list, which equals no torch.Size.
        if node._saved_alpha == 1 and all(list(tangent.shape) == list(given.shape) for tangent in there):
            return there[0] if len(there) == 1 else there[0] + there[1]
        return super().up(node, along, walk)


class AveragePooling(Linear):
    """Average pooling in two dimensions."""

    reads = (
        *Linear.reads,
        "_saved_ceil_mode",
        "_saved_count_include_pad",
        "_saved_divisor_override",
        "_saved_kernel_size",
        "_saved_padding",
        "_saved_stride",
    )

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        return average_pooling(cast("Tensor", along[0]), *self._how(node))

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        back = None if moved is None else average_pooling_backward(moved, *self._how(node))
        if back is None:
            yield from super().down(node, moved, walk)
        elif node.next_functions[0][0] in walk.graph.leading:
            yield node.next_functions[0], back

    @staticmethod
    def _how(node: Any) -> tuple[Any, ...]:
        return (
            node._saved_kernel_size,
            node._saved_stride or node._saved_kernel_size,
            node._saved_padding,
            node._saved_ceil_mode,
            node._saved_count_include_pad,
            node._saved_divisor_override,
        )
