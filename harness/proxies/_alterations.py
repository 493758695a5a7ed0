"""How some proxies alter a copy of the network before they measure it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from harness.probe.passes import prunable_layers
from harness.probe.replacing import replace_modules
from harness.probe.usage import is_relu


def gaussian_weights(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Draw every convolution and linear weight from N(0, 1); biases 0, norm scale 1 and shift 0; in place.

    A weight shared by several layers is drawn once.

    Args:
        network: a copy that may be changed.
        generator: on the CPU, so that the numbers are the same on every device.
    """
    to_draw = {id(layer) for layer in prunable_layers(network)}
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                if id(module) in to_draw:
                    module.weight.copy_(torch.randn(module.weight.shape, generator=generator))
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
