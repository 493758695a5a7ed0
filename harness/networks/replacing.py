"""Replacing modules of a copy, wherever the copy keeps them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrize


def replace_modules(network: nn.Module, make: Callable[[nn.Module], nn.Module | None]) -> nn.Module:
    """Replace modules of the network, in place.

    A module that is registered under several names, called in several places or kept in a plain list is replaced in all
    of them, because the object itself becomes the other module. Modules inside a replaced module are not visited.

    Args:
        network: a copy that may be changed.
        make: returns the replacement of a module, or None to keep it.

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


def deep_copy(network: nn.Module) -> nn.Module:
    """A deep copy, also of networks that keep results of a pass, which :func:`copy.deepcopy` refuses.

    Networks with :func:`torch.nn.utils.weight_norm` do so, and those that store their last features.
    """
    memo: dict[int, Any] = {}
    for module in network.modules():
        for value in vars(module).values():
            for entry in value if isinstance(value, list | tuple) else [value]:
                if isinstance(entry, Tensor) and not entry.is_leaf:
                    memo[id(entry)] = entry.detach().clone()
    return copy.deepcopy(network, memo)


def is_parametrised(network: nn.Module) -> bool:
    """Whether a tensor of some module is computed at each access (:mod:`torch.nn.utils.parametrize`)."""
    return any(parametrize.is_parametrized(module) for module in network.modules())


def with_plain_weights(network: nn.Module) -> nn.Module:
    """A copy in which each parametrised tensor is a plain parameter with its current value."""
    plain = deep_copy(network)
    for module in plain.modules():
        if parametrize.is_parametrized(module):
            # Removal changes the class, which the copy shares with the original.
            kind = type(module)
            module.__class__ = type(kind.__name__, kind.__bases__, dict(kind.__dict__))
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            # Some proxies use the first parameters of a network, so the usual order is restored.
            usual = {"weight": 0, "bias": 1}
            module._parameters = dict(sorted(module._parameters.items(), key=lambda item: usual.get(item[0], 2)))
    return plain
