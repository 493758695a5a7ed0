"""How some proxies alter a copy of the network before they measure it."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from harness.errors import NotApplicableError
from harness.networks.kinds import (
    BATCH_NORM,
    NORMS,
    NORMS_OF_IMAGES,
    does_more_than_normalise,
    is_unit,
)
from harness.networks.replacing import replace_modules


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
