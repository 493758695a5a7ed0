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

from typing import Any

from harness.probe.curvature.graph import CONVOLUTION, Rule, kind_of
from harness.probe.curvature.layers import BatchNorm, Convolution, LinearLayer
from harness.probe.curvature.linear import Addition, AveragePooling, Diagonal, Linear

# fmt: off
_LINEAR_KINDS = (
    "AsStrided", "Cat", "Clone", "ConstantPadNd", "MaxPool2DWithIndices", "Mean", "Permute", "ReshapeAlias", "Select",
    "Slice", "Sum", "T", "Transpose", "UnsafeView", "View",
)
# fmt: on

_RULES: dict[str, Rule] = {
    CONVOLUTION: Convolution(),
    "AddmmBackward": LinearLayer(),
    "NativeBatchNormBackward": BatchNorm(),
    "AddBackward": Addition(),
    "AvgPool2DBackward": AveragePooling(),
    "ReluBackward": Diagonal(),
    "LeakyReluBackward": Diagonal(),
    **{f"{kind}Backward": Linear() for kind in _LINEAR_KINDS},
}


def rule_of(node: Any) -> Rule | None:
    """The rule of a node, by torch's name for it without the number of its overload.

    None if there is none, and where a node of this version of torch lacks what the rule reads.
    """
    rule = _RULES.get(kind_of(node))
    return rule if rule is not None and all(hasattr(type(node), name) for name in rule.reads) else None
