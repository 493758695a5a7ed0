"""Feature maps of a single image at every module, as MeCo, Dextr and RBFleX use them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from harness.networks.kinds import channel_axis
from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError
from harness.probe.usage import Part, Usage, seeing


def module_features(
    network: nn.Module, image: Tensor, tokens: bool = False
) -> tuple[list[tuple[nn.Module, Tensor]], Usage]:
    """Each module call with the feature map that it returned for the image, and the usage of the pass.

    Feature maps are float64, (channels, positions).

    Containers and the network itself count as modules. A module that returns another's output shares its tensor, so
    callers can recognise repeats by identity. Features without positions, such as logits, count as one position. The
    network is in training mode, so batch norm takes its statistics from this mini-batch of one image.

    Args:
        network: in training mode.
        image: a mini-batch of one image.
        tokens: whether tokens, (tokens, channels), may stand for a feature map: for numbers that are the same if the
            two change places.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, the network calls a module that is not
            registered, or a module returns no map with the channels first.
    """
    called: list[tuple[nn.Module, Tensor]] = []
    seen: dict[Hashable, Tensor] = {}
    alive: list[Tensor] = []

    def after(module: nn.Module, _: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or output.dim() < 2:
            return
        if channel_axis(module, output) != 1 and output.dim() > 2 + tokens:
            name = next((name for name, known in network.named_modules() if known is module), "")
            raise NotApplicableError(
                f"defined for feature maps with the channels first; the {type(module).__name__} '{name}' has them last"
            )
        key = (id(output), output._version)
        if key not in seen:
            alive.append(output)  # an id is unique only while its owner lives
            first = output[0].detach().to(torch.float64, copy=True)
            seen[key] = first.reshape(len(first), -1)
        called.append((module, seen[key]))

    hooks = [module.register_forward_hook(after) for module in network.modules()]
    return called, pass_alone(network, image, hooks, Part.MODULES)


def pass_alone(network: nn.Module, image: Tensor, hooks: Sequence[RemovableHandle], *parts: Part) -> Usage:
    """Run one forward pass of a single image, then remove the hooks; returns the usage of the pass.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, or the hooks do not see one of the parts.
    """
    with of_one_image(), hooked(hooks), seeing(network, *parts) as usage, torch.no_grad(), untouched(network):
        network(image.clone())
    return usage


@contextmanager
def of_one_image() -> Iterator[None]:
    """Raise NotApplicableError if a batch norm in the block gets a single value per channel, as torch then refuses."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise NotApplicableError("a batch norm gets a single value per channel when one image passes alone") from error


def once_each(matrices: Sequence[Tensor], compute: Callable[[Tensor], Tensor]) -> Tensor:
    """One number per matrix: computed once for repeated tensors, and batched over matrices of the same shape.

    ``compute`` maps (n, rows, columns) to (n,).

    >>> a = torch.ones(2, 2)
    >>> once_each([a, torch.zeros(1, 3), a], lambda stacked: stacked.sum(dim=(1, 2))).tolist()
    [4.0, 0.0, 4.0]
    """
    by_shape: dict[tuple[int, ...], dict[int, Tensor]] = {}
    for matrix in matrices:
        by_shape.setdefault(tuple(matrix.shape), {})[id(matrix)] = matrix
    values: dict[int, Tensor] = {}
    for alike in by_shape.values():
        values |= dict(zip(alike, compute(torch.stack(list(alike.values()))), strict=True))
    return torch.stack([values[id(matrix)] for matrix in matrices]) if matrices else torch.zeros(0)
