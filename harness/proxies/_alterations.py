"""How some proxies alter a copy of the network before they measure it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.probe.passes import prunable_layers
from harness.probe.replacing import replace_modules
from harness.probe.usage import is_relu


@torch.no_grad()
def gaussian_weights(
    network: nn.Module,
    generator: torch.Generator | None = None,
    deviation: Callable[[Tensor], float] = lambda weight: 1.0,
) -> nn.Module:
    """Draw every convolution and linear weight from N(0, σ²); biases 0, norm scale 1 and shift 0; in place.

    Weights are drawn in the network's order, one that several layers share only once.

    Args:
        network: a copy that may be changed.
        generator: on the CPU, so that the numbers are the same on every device; default: the current random state.
        deviation: gives a weight's σ; default: 1.
    """
    to_draw = {id(layer) for layer in prunable_layers(network)}
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if id(module) in to_draw:
                drawn = torch.randn(module.weight.shape, generator=generator)
                module.weight.copy_(drawn * deviation(module.weight))
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.affine:
            module.weight.fill_(1.0)
            module.bias.zero_()
    return network


def without_batch_norm(network: nn.Module) -> nn.Module:
    """Replace every batch norm by the identity, in place."""
    return _without(network, lambda module: isinstance(module, nn.modules.batchnorm._BatchNorm))


def without_relus(network: nn.Module) -> nn.Module:
    """Replace every ReLU module of any kind by the identity, in place. ReLUs that are function calls stay."""
    return _without(network, is_relu)


def _without(network: nn.Module, unwanted: Callable[[nn.Module], bool]) -> nn.Module:
    return replace_modules(network, lambda module: nn.Identity() if unwanted(module) else None)
