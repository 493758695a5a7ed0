"""Modules of a copy that are turned into others, wherever the copy keeps them."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import nn
from torch.nn.utils import parametrize


def replace_modules(network: nn.Module, make: Callable[[nn.Module], nn.Module | None]) -> nn.Module:
    """Turn modules of the network into others; in place.

    A module that is registered under several names, called at several places or also kept in a plain list is replaced
    at all of them, because the object itself becomes the other module. What is inside a replaced module stays as it is.

    Args:
        network: a copy that may be changed.
        make: gives what a module becomes, or None where it stays.

    >>> relu = nn.ReLU()
    >>> replace_modules(nn.Sequential(relu, nn.Sequential(relu)), lambda m: nn.Identity() if m is relu else None)
    Sequential(
      (0): Identity()
      (1): Sequential(
        (0): Identity()
      )
    )
    """
    met: set[int] = set()
    waiting = [network]
    while waiting:
        module = waiting.pop()
        if id(module) in met:
            continue
        met.add(id(module))
        other = make(module)
        if other is None:
            waiting += module.children()
        else:
            module.__class__ = type(other)
            module.__dict__ = other.__dict__
    return network


def is_parametrised(network: nn.Module) -> bool:
    """Whether a tensor of some module is made anew at each access (:mod:`torch.nn.utils.parametrize`)."""
    return any(parametrize.is_parametrized(module) for module in network.modules())


def with_plain_weights(network: nn.Module) -> nn.Module:
    """A copy in which each parametrised tensor is a plain parameter with the value that it has now."""
    plain = copy.deepcopy(network)
    for module in plain.modules():
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            # Some proxies look at the first parameters of a network, so these come in their usual order again.
            usual = {"weight": 0, "bias": 1}
            module._parameters = dict(sorted(module._parameters.items(), key=lambda item: usual.get(item[0], 2)))
    return plain
