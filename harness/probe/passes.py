"""Passes through a network that do not change it, and the layers whose weights are scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge
from torch.utils.hooks import RemovableHandle

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


@contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Remove these hooks after the block."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def untouched(network: nn.Module) -> Iterator[None]:
    """Give passes stand-ins of the buffers, so that these do not change, and switch off in-place modules."""
    owners = [(module, dict(module._buffers)) for module in network.modules() if module._buffers]
    in_place: list[Any] = [module for module in network.modules() if getattr(module, "inplace", False) is True]
    for module, buffers in owners:
        for name, buffer in buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.clone()
    for module in in_place:
        module.inplace = False
    try:
        yield
    finally:
        for module, buffers in owners:
            module._buffers.update(buffers)
        for module in in_place:
            module.inplace = True
