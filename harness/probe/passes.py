"""The layers whose weights are scored, and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge

from harness.networks.kinds import WEIGHTED, Layer


def layers_of(network: nn.Module) -> list[Layer]:
    """The convolutions and linear layers."""
    return [module for module in network.modules() if isinstance(module, WEIGHTED)]


def prunable_layers(network: nn.Module) -> list[Layer]:
    """The layers whose weights the pruning-based proxies score, as in Abdelfattah et al. 2021.

    If layers share a weight, only the first is listed: the gradient of the weight is the sum over its uses.
    """
    first: dict[int, tuple[Layer, Tensor]] = {}
    for layer in layers_of(network):
        weight = layer.weight
        first.setdefault(id(weight), (layer, weight))
    return [layer for layer, _ in first.values()]


def gradients(output: Tensor, inputs: Sequence[Tensor | GradientEdge], retain_graph: bool = False) -> list[Tensor]:
    """∂output/∂input for each input, zeros if the output does not depend on it; inputs may be graph edges."""
    if not output.requires_grad:
        return [torch.zeros_like(cast("Tensor", tensor)) for tensor in inputs]
    asked = cast("Sequence[Tensor]", inputs)
    return list(
        torch.autograd.grad(output, asked, retain_graph=retain_graph, allow_unused=True, materialize_grads=True)
    )
