r"""Propagation of tangents along the weights, up and down through single nodes of torch's graph.

Up: the tangent of a node's output, from the tangents of its inputs. Down: the tangent of the gradients that it passes
back, from the tangent of the gradient that reaches it. A layer is linear in its weights, so its tangent along them is
its output. For a convolution z = u ∗ w with gradients δ

.. math:: \dot z = (\dot u + u) * w, \qquad \dot\delta_u = (\dot\delta_z + \delta_z) *^\top w, \qquad
          \dot g_w = \dot u \star \delta_z + u \star \dot\delta_z ,

which are four convolutions; dual numbers take six, and three more for the passes. Linear nodes pass tangents in the
same way as gradients, so torch's own node is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.probe.curvature.batch_norm import fused_gradient, tangent_of_gradient

Edge = tuple[Any, int]
"""An output of a node of the graph: the node, and the index of the output."""

CONVOLUTION = "ConvolutionBackward"

Along = list[Tensor | None]
Passed = Iterator[tuple[Edge, Tensor]]


@dataclass(frozen=True)
class Surroundings:
    """The graph around a node.

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
        around: the graph.
        gradients: of the loss, at the edges that the nodes need and at the requested weights.
        tangents: of node outputs.
        sums: of a batch norm's normalised input times the tangent of its input, over each channel.
        together: convolutions that receive the sum of the gradient and its tangent.
    """

    around: Surroundings
    gradients: Mapping[Edge, Tensor]
    tangents: dict[Edge, Tensor]
    sums: dict[Any, Tensor] = field(default_factory=dict)
    together: set[Any] = field(default_factory=set)


class Rule(Protocol):
    """One kind of node.

    Attributes:
        reads: what it reads of the node that is torch's own, and which another version of torch may lack.
    """

    reads: ClassVar[tuple[str, ...]]

    def needs(self, node: Any, around: Surroundings) -> list[Edge] | None:
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


class _Convolution:
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

    def needs(self, node: Any, around: Surroundings) -> list[Edge] | None:
        weight = node.next_functions[1][0]
        return [(node, 0)] if weight in around.leaves or weight not in around.leading else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        of_input, of_weight, _ = along
        inputs = sum_of_those(of_input, None if of_weight is None else node._saved_input)
        return cast("Tensor", torch.ops.aten.convolution(inputs, node._saved_weight, None, *self._shape(node)))

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        (entering, weight, _), passed = node.next_functions, walk.gradients[node, 0]
        goes_on, along_weight = entering[0] in walk.around.leading, weight in walk.tangents
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


class _LinearLayer:
    """b + u W, with W the transposed weight."""

    reads: ClassVar[tuple[str, ...]] = ("_saved_alpha", "_saved_mat1", "_saved_mat2")

    def needs(self, node: Any, around: Surroundings) -> list[Edge] | None:
        return [(node, 0)] if node._saved_alpha == 1 else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        _, of_input, of_weight = along
        through = None if of_input is None else of_input @ node._saved_mat2
        return cast("Tensor", sum_of_those(through, None if of_weight is None else node._saved_mat1 @ of_weight))

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        (_, entering, weight), passed = node.next_functions, walk.gradients[node, 0]
        tangents, leading = walk.tangents, walk.around.leading
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


class _BatchNorm:
    """Batch norm in training mode, with scale and shift; see :mod:`harness.probe.curvature.batch_norm`."""

    reads: ClassVar[tuple[str, ...]] = (
        "_saved_eps",
        "_saved_input",
        "_saved_result1",
        "_saved_result2",
        "_saved_training",
        "_saved_weight",
    )

    def needs(self, node: Any, around: Surroundings) -> list[Edge] | None:
        entering, scale, _ = node.next_functions
        # The gradients at these edges must come from this call only.
        alone = scale[0] is not None and around.readers[scale] == 1 and around.readers[entering] == 1
        return [entering, scale] if alone and node._saved_training else None

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        tangent, walk.sums[node] = fused_gradient(cast("Tensor", along[0]), *self._saved(node))
        return tangent

    def down(self, node: Any, moved: Tensor | None, walk: Walk) -> Passed:
        entering, scale, _ = node.next_functions
        # A convolution needs the sum of the gradient and its tangent, and subtracts the gradient's part again.
        if _kind(entering[0]) == CONVOLUTION:
            of_layer = entering[0].next_functions[1]
            if of_layer in walk.tangents and walk.around.readers[of_layer] == 1:
                walk.together.add(entering[0])
        x, weight, mean, inverse_deviation, eps = self._saved(node)
        tangent = tangent_of_gradient(
            moved,
            walk.tangents[entering],
            walk.tangents[node, 0],
            walk.gradients[entering],
            walk.gradients[scale],
            walk.sums.pop(node),
            x,
            weight,
            mean,
            inverse_deviation,
            eps,
            plus_gradient=entering[0] in walk.together,
        )
        yield entering, tangent

    @staticmethod
    def _saved(node: Any) -> tuple[Any, ...]:
        """The input, γ, μ, 1 / σ and ε."""
        return (
            node._saved_input,
            node._saved_weight,
            node._saved_result1,
            node._saved_result2,
            node._saved_eps,
        )


class _Linear:
    """Any linear or piecewise linear node."""

    reads: ClassVar[tuple[str, ...]] = ("_input_metadata",)

    def needs(self, node: Any, around: Surroundings) -> list[Edge] | None:
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
                if edge[0] in walk.around.leading and tangent is not None:
                    yield edge, tangent


def _passed(node: Any, gradient: Tensor) -> tuple[Any, ...]:
    """The gradient that the node passes back to each of its inputs."""
    found = node(gradient)
    return found if isinstance(found, tuple) else (found,)


class _Diagonal(_Linear):
    """An elementwise node, so its Jacobian equals its transpose."""

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        return cast("Tensor", node(along[0]))


class _Addition(_Linear):
    reads = (*_Linear.reads, "_saved_alpha")

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        there = [tangent for tangent in along if tangent is not None]
        (given,) = node._input_metadata
        if node._saved_alpha == 1 and all(tangent.shape == given.shape for tangent in there):
            return there[0] if len(there) == 1 else there[0] + there[1]
        return super().up(node, along, walk)


class _AveragePooling(_Linear):
    reads = (
        *_Linear.reads,
        "_saved_ceil_mode",
        "_saved_count_include_pad",
        "_saved_divisor_override",
        "_saved_kernel_size",
        "_saved_padding",
        "_saved_stride",
    )

    def up(self, node: Any, along: Along, walk: Walk) -> Tensor:
        return F.avg_pool2d(
            cast("Tensor", along[0]),
            node._saved_kernel_size,
            node._saved_stride,
            node._saved_padding,
            node._saved_ceil_mode,
            node._saved_count_include_pad,
            node._saved_divisor_override,
        )


_LINEAR_KINDS = (
    "AsStrided",
    "Cat",
    "Clone",
    "ConstantPadNd",
    "MaxPool2DWithIndices",
    "Mean",
    "Permute",
    "ReshapeAlias",
    "Select",
    "Slice",
    "Sum",
    "T",
    "Transpose",
    "UnsafeView",
    "View",
)

_RULES: dict[str, Rule] = {
    CONVOLUTION: _Convolution(),
    "AddmmBackward": _LinearLayer(),
    "NativeBatchNormBackward": _BatchNorm(),
    "AddBackward": _Addition(),
    "AvgPool2DBackward": _AveragePooling(),
    "ReluBackward": _Diagonal(),
    "LeakyReluBackward": _Diagonal(),
    **{f"{kind}Backward": _Linear() for kind in _LINEAR_KINDS},
}


def rule_of(node: Any) -> Rule | None:
    """The rule of a node, by torch's name for it without the number of its overload.

    None if there is none, and where a node of this version of torch lacks what the rule reads.
    """
    rule = _RULES.get(_kind(node))
    return rule if rule is not None and all(hasattr(type(node), name) for name in rule.reads) else None


def _kind(node: Any) -> str:
    return str(node.name()).rstrip("0123456789")
