"""What proxies draw or choose for themselves: images of noise, fresh weights, and single images of a mini-batch.

Numbers are drawn on the CPU in float32 from the current random state, so that they are the same on every device and in
every precision. Only quantities of a probe draw, because each of them has a random state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.probe.passes import prunable_layers

if TYPE_CHECKING:
    from harness.probe import Probe

NOISE_IMAGES = 64
"""How many images of noise the official codes of AZ-NAS and VKDNW draw."""


def gaussian_images(probe: Probe, count: int) -> Tensor:
    """Images of independent standard normal pixels, in the shape of the run's images, ``count`` of them."""
    like = probe.batch().images
    noise = torch.randn(count, *like.shape[1:])
    return torch.empty(noise.shape, dtype=like.dtype, device=like.device).copy_(noise)


def kaiming_copy(probe: Probe) -> nn.Module:
    """A copy with new weights from N(0, 2 / fan-in), Kaiming's for ReLU; biases 0, norms' scale 1 and shift 0."""
    return _redrawn(probe.copy(), lambda weight: math.sqrt(2 / weight[0].numel()))


def gaussian_draws(probe: Probe, count: int) -> Iterator[nn.Module]:
    """A copy with new weights from N(0, 1), biases 0, norms' scale 1 and shift 0; and ``count`` times drawn anew.

    It is the same module each time: making copies takes longer than drawing.
    """
    network = probe.copy()
    for _ in range(count):
        yield _redrawn(network, lambda weight: 1.0)


@torch.no_grad()
def _redrawn(network: nn.Module, deviation: Callable[[Tensor], float]) -> nn.Module:
    """The network with every convolution and linear weight drawn anew, in the network's order, shared ones once."""
    to_draw = {id(layer) for layer in prunable_layers(network)}
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if id(module) in to_draw:
                module.weight.copy_(torch.randn(module.weight.shape) * deviation(module.weight))
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.affine:
            module.weight.fill_(1.0)
            module.bias.zero_()
    return network


def by_norm(images: Tensor) -> Tensor:
    """The images from the smallest norm to the largest.

    Official codes that take a few images take the first. Counted in this order, which images are taken does not depend
    on the order of the mini-batch.

    >>> by_norm(torch.tensor([[3.0], [-1.0], [2.0]])).flatten().tolist()
    [-1.0, 2.0, 3.0]
    """
    return images[images.detach().double().flatten(1).square().sum(dim=1).argsort(stable=True)]


def typical_images(probe: Probe, count: int) -> Tensor:
    """Images of the first mini-batch at evenly spaced ranks of their norm; all of them where there are no more.

    One image is that of median norm.
    """
    ordered = by_norm(probe.batch().images)
    count = min(count, len(ordered))
    return ordered[(2 * torch.arange(count) + 1) * len(ordered) // (2 * count)]
