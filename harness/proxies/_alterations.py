"""How some proxies alter a copy of the network before they measure it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from harness.errors import NotApplicableError
from harness.networks.kinds import (
    BATCH_NORM,
    NORMS,
    NORMS_OF_IMAGES,
    WEIGHTED,
    Layer,
    does_more_than_normalise,
    is_unit,
)
from harness.networks.replacing import replace_modules
from harness.probe.passes import prunable_layers


@torch.no_grad()
def gaussian_weights(
    network: nn.Module,
    generator: torch.Generator | None = None,
    deviation: Callable[[Layer], float] = lambda layer: 1.0,
) -> nn.Module:
    """Draw every convolution and linear weight from N(0, σ²); biases 0, norm scale 1 and shift 0; in place.

    Weights are drawn in the network's order, one that several layers share only once.

    Args:
        network: a copy that may be changed.
        generator: on the CPU, so that the numbers are the same on every device; default: the current random state.
        deviation: gives the σ of a layer's weight; default: 1.
    """
    to_draw = {id(layer) for layer in prunable_layers(network)}
    for module in network.modules():
        weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
        if isinstance(module, WEIGHTED):
            if id(module) in to_draw:
                drawn = torch.randn(module.weight.shape, generator=generator)
                module.weight.copy_(drawn * deviation(module))
            if bias is not None:
                bias.zero_()
        elif isinstance(module, NORMS):
            if weight is not None:
                weight.fill_(1.0)
            if bias is not None:
                bias.zero_()
    return network


def without_batch_norm(network: nn.Module) -> nn.Module:
    """Replace every batch norm by the identity, in place."""
    return _without(network, lambda module: _is_norm(module, BATCH_NORM))


def without_norms(network: nn.Module) -> nn.Module:
    """Replace every normalisation, by the statistics of the mini-batch or of an image, by the identity, in place."""
    return _without(network, lambda module: _is_norm(module, *NORMS))


def without_units(network: nn.Module) -> nn.Module:
    """Replace every module that is a ReLU or a relative of it by the identity, in place."""
    return _without(network, is_unit)


def require_batch_norm_alone(network: nn.Module) -> None:
    """Check that batch norms alone normalise.

    Raises:
        NotApplicableError: if another module removes the scale of single images.
    """
    for name, module in network.named_modules():
        if isinstance(module, NORMS_OF_IMAGES):
            kind = type(module).__name__
            raise NotApplicableError(
                f"defined for networks that only batch norms normalise; this one has a {kind} ('{name}')"
            )


def _is_norm(module: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Whether a module is such a normalisation, and nothing more."""
    if not isinstance(module, kinds):
        return False
    if does_more_than_normalise(module):
        raise NotApplicableError(
            f"the network's {type(module).__name__} does more than normalise, so it cannot be removed"
        )
    return True


def _without(network: nn.Module, unwanted: Callable[[nn.Module], bool]) -> nn.Module:
    return replace_modules(network, lambda module: nn.Identity() if unwanted(module) else None)
