"""Rules of layers with weights: convolutions, linear layers and batch norms."""

# ruff: noqa: D102 - the methods are described by Rule.

from __future__ import annotations

from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from harness.probe.curvature.batch_norm import fused_gradient, tangent_of_gradient
from harness.probe.curvature.graph import CONVOLUTION, Along, Edge, Graph, Passed, Walk, kind_of, sum_of_those


class Convolution:
    """A convolution of any kind, transposed ones included."""

    reads: ClassVar[tuple[str, ...]] = (
        "_saved_dilation",
        "_saved_groups",
        "_saved_input",
        "_saved_output_padding",
        "_saved_padding",
        "_saved_stride",
        "_saved_transposed",
        "_saved_weight",
    )

    def needs(self, node: Any, graph: Graph) -> list[Edge] | None:
        weight = node.next_functions[1][0]
        return [(node, 0)] if weight in graph.leaves or weight not in graph.leading else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        of_input, of_weight, _ = along
        inputs = sum_of_those(of_input, None if of_weight is None else node._saved_input)
        return cast("Tensor", torch.ops.aten.convolution(inputs, node._saved_weight, None, *self._shape(node)))

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        (entering, weight, _), passed = node.next_functions, walk.gradients[node, 0]
        goes_on, along_weight = entering[0] in walk.graph.leading, weight in walk.tangents
        if node in walk.together:
            of_input, of_weight = self._back(node, moved, node._saved_input, to_input=goes_on, to_weight=True)
            yield weight, cast("Tensor", of_weight) - walk.gradients[weight]
            if of_input is not None:
                yield entering, of_input
        else:
            both = sum_of_those(moved, passed if along_weight else None)
            if goes_on and both is not None:
                yield entering, cast("Tensor", self._back(node, both, node._saved_input, to_input=True)[0])
            if along_weight and moved is not None:
                yield weight, cast("Tensor", self._back(node, moved, node._saved_input, to_weight=True)[1])
        if along_weight and entering in walk.tangents:
            yield weight, cast("Tensor", self._back(node, passed, walk.tangents[entering], to_weight=True)[1])

    def _back(
        self, node: Any, gradient: Tensor | None, inputs: Tensor, *, to_input: bool = False, to_weight: bool = False
    ) -> tuple[Tensor | None, Tensor | None]:
        """The gradients that the convolution passes to its input and weight, for the given gradient and inputs."""
        of_input, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient, inputs, node._saved_weight, None, *self._shape(node), [to_input, to_weight, False]
        )
        return of_input, of_weight

    @staticmethod
    def _shape(node: Any) -> tuple[Any, ...]:
        return (
            node._saved_stride,
            node._saved_padding,
            node._saved_dilation,
            node._saved_transposed,
            node._saved_output_padding,
            node._saved_groups,
        )


class LinearLayer:
    """b + u W, with W the transposed weight."""

    reads: ClassVar[tuple[str, ...]] = ("_saved_alpha", "_saved_mat1", "_saved_mat2")

    def needs(self, node: Any, graph: Graph) -> list[Edge] | None:
        return [(node, 0)] if node._saved_alpha == 1 else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        _, of_input, of_weight = along
        through = None if of_input is None else of_input @ node._saved_mat2
        return cast("Tensor", sum_of_those(through, None if of_weight is None else node._saved_mat1 @ of_weight))

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        (_, entering, weight), passed = node.next_functions, walk.gradients[node, 0]
        tangents, leading = walk.tangents, walk.graph.leading
        if entering[0] in leading:
            through = None if moved is None else moved @ node._saved_mat2.T
            together = sum_of_those(through, passed @ tangents[weight].T if weight in tangents else None)
            if together is not None:
                yield entering, together
        if weight[0] in leading:
            through = None if moved is None else node._saved_mat1.T @ moved
            together = sum_of_those(through, tangents[entering].T @ passed if entering in tangents else None)
            if together is not None:
                yield weight, together


class BatchNorm:
    """Batch norm in training mode, with scale and shift; see :mod:`harness.probe.curvature.batch_norm`."""

    reads: ClassVar[tuple[str, ...]] = (
        "_saved_eps",
        "_saved_input",
        "_saved_result1",
        "_saved_result2",
        "_saved_training",
        "_saved_weight",
    )

    def needs(self, node: Any, graph: Graph) -> list[Edge] | None:
        entering, scale, _ = node.next_functions
        # The gradients at these edges must come from this call only.
        alone = scale[0] is not None and graph.readers[scale] == 1 and graph.readers[entering] == 1
        of_maps = alone and node._saved_training and node._saved_input.dim() == 4
        return [entering, scale] if of_maps else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        tangent, walk.sums[node] = fused_gradient(cast("Tensor", along[0]), *self._saved(node))
        return tangent

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        entering, scale, _ = node.next_functions
        # A convolution needs the sum of the gradient and its tangent, and subtracts the gradient's part again.
        if kind_of(entering[0]) == CONVOLUTION:
            of_layer = entering[0].next_functions[1]
            if of_layer in walk.tangents and walk.graph.readers[of_layer] == 1:
                walk.together.add(entering[0])
        tangent = tangent_of_gradient(
            moved,
            walk.tangents[entering],
            walk.tangents[node, 0],
            walk.gradients[entering],
            walk.gradients[scale],
            walk.sums.pop(node),
            *self._saved(node),
            plus_gradient=entering[0] in walk.together,
        )
        yield entering, tangent

    @staticmethod
    def _saved(node: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
        """The input, γ, μ, 1 / σ and ε."""
        return node._saved_input, node._saved_weight, node._saved_result1, node._saved_result2, node._saved_eps
