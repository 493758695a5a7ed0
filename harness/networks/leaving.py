"""Passes through a network that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle


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
