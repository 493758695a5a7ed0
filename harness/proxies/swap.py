"""SWAP: the number of distinct activation patterns of a network's units over a few images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.activity import active_units
from harness.probe.passes import hooked, untouched
from harness.probe.usage import Part
from harness.proxies._drawn import gaussian_draws, typical_images

if TYPE_CHECKING:
    from harness.probe import Probe

IMAGES = 16
REPEATS = 32


@proxy(
    "swap",
    label="SWAP",
    better="higher",
    data="images",
    cite="peng2024swap",
    source="src/metrics/swap.py and correlation.py",
    aliases=("swap_score", "swap_nas"),
)
def swap(probe: Probe) -> float:
    r"""Number of distinct activation patterns of the ReLU units over sixteen images.

    The pattern of a unit is :math:`(1[x_{1u} > 0], \dots, 1[x_{16,u} > 0])`, with x the input of its ReLU. The score is
    the number of distinct patterns among all units, at most 2¹⁶, averaged over 32 draws of all weights from N(0, 1), in
    training mode. Only ReLU modules on feature maps count. The official code uses the first sixteen training images;
    here they are the mini-batch's images at evenly spaced ranks of their norm (all images if it has fewer), so the
    order of the images does not matter. The paper's regularised score needs constants that are chosen for each search
    space: see ``regularised_swap``.

    Raises:
        NotApplicableError: if the network has no ReLU modules on feature maps.
    """
    return _mean_patterns(probe)


@quantity("harness.proxies.swap:_mean_patterns")
def _mean_patterns(probe: Probe) -> float:
    images = typical_images(probe, IMAGES)
    draws = gaussian_draws(probe, REPEATS)
    first = next(draws)
    with probe.seeing(first, Part.WEIGHTS, Part.RELUS):
        counts = [_patterns(first, images)]
    counts += [_patterns(network, images) for network in draws]
    return sum(counts) / len(counts)


def _patterns(network: nn.Module, images: Tensor) -> int:
    """The number of distinct patterns over at most sixteen images."""
    shown = torch.zeros(2 ** len(images), dtype=torch.bool, device=images.device)
    # A pattern as a binary number; integers up to 2²⁴ are exact in float32.
    places = 2.0 ** torch.arange(len(images), dtype=torch.float32, device=images.device)
    read: list[Tensor] = []

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].dim() == 4 and not any(inputs[0] is tensor for tensor in read):
            read.append(inputs[0])
            shown[(places @ active_units(inputs[0].detach())).int()] = True

    relus = [module for module in network.modules() if isinstance(module, nn.ReLU)]
    hooks = [relu.register_forward_pre_hook(before) for relu in relus]
    with hooked(hooks), torch.no_grad(), untouched(network):
        network(images.clone())
    if not read:
        raise NotApplicableError("the network has no ReLU modules on feature maps")
    return int(shown.sum())


def regularised_swap(probe: Probe, mu: float, sigma: float) -> float:
    r"""SWAP weighted by how close the network's size is to a target size, for use in a custom proxy.

    :math:`\text{SWAP} \cdot \exp( -(P - \mu)^2 / \sigma )` with P the number of parameters in thousands. σ is not
    squared, as in the official code. It is not registered as a proxy: μ and σ are chosen for each search space, which
    requires knowledge of its accuracies, and the official code gives no values. A proxy that fixes them should declare
    it::

        @proxy("swap_mine", better="higher", data="images", cite="peng2024swap", variant_of="swap",
               supervised="μ and σ, on 100 trained networks of my space")
        def swap_mine(probe):
            "SWAP with a size of about 800,000 parameters preferred."
            return regularised_swap(probe, mu=800, sigma=40_000)

    Args:
        probe: of the network.
        mu: the target number of parameters, in thousands.
        sigma: the width of the preference, in thousands squared; positive.

    Raises:
        NotApplicableError: as for ``swap``.
    """
    thousands = sum(parameter.numel() for parameter in probe.network.parameters()) / 1e3
    return _mean_patterns(probe) * math.exp(-((thousands - mu) ** 2) / sigma)
