"""What proxies draw or choose themselves: noise images, new weights, and single images of a mini-batch.

Numbers are drawn on the CPU in float32 from the current random state, so they are the same on every device and in every
precision. Call these functions only from quantities of a probe: each quantity has its own random state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.networks.initialisation import gaussian_weights
from harness.networks.kinds import fan_in_of

if TYPE_CHECKING:
    from harness.probe import Probe

NOISE_IMAGES = 64
"""Number of noise images in the official code of AZ-NAS and of VKDNW."""


def gaussian_images(probe: Probe, count: int) -> Tensor:
    """``count`` images of independent standard normal pixels, in the shape of the run's images."""
    like = probe.batch().images
    noise = torch.randn(count, *like.shape[1:])
    return torch.empty(noise.shape, dtype=like.dtype, device=like.device).copy_(noise)


def kaiming_copy(probe: Probe) -> nn.Module:
    """A copy with new weights from N(0, 2 / fan-in), Kaiming's rule for ReLU; biases 0, norm scale 1 and shift 0."""
    return gaussian_weights(probe.copy(), deviation=lambda layer: math.sqrt(2 / fan_in_of(layer)))


def gaussian_draws(probe: Probe, count: int) -> Iterator[nn.Module]:
    """A copy whose weights are drawn from N(0, 1) ``count`` times; biases 0, norm scale 1 and shift 0.

    Yields the same module each time, because copying takes longer than drawing.
    """
    network = probe.copy()
    for _ in range(count):
        yield gaussian_weights(network)


def by_norm(images: Tensor) -> Tensor:
    """The images sorted by norm, smallest first.

    Official code that uses a few images takes the first ones. In this order the choice does not depend on the order of
    the mini-batch.

    >>> by_norm(torch.tensor([[3.0], [-1.0], [2.0]])).flatten().tolist()
    [-1.0, 2.0, 3.0]
    """
    return images[images.detach().double().flatten(1).square().sum(dim=1).argsort(stable=True)]


def typical_images(probe: Probe, count: int) -> Tensor:
    """``count`` images of the first mini-batch at evenly spaced ranks of their norm; all images if it has fewer.

    With ``count=1`` it is the image of median norm.
    """
    ordered = by_norm(probe.batch().images)
    count = min(count, len(ordered))
    return ordered[(2 * torch.arange(count) + 1) * len(ordered) // (2 * count)]
