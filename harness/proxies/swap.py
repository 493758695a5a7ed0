"""SWAP: the number of distinct activation patterns of a network's units over a few images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.kinds import is_unit, stands_for
from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.activity import active_units
from harness.probe.usage import Part
from harness.proxies._drawn import gaussian_draws, typical_images
from harness.proxies._patterns import distinct_patterns, packed

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
    axes=("expressivity",),
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


@proxy(
    "swap_units",
    label="SWAP (units)",
    better="higher",
    data="images",
    cite="peng2024swap",
    axes=("expressivity",),
    source="src/metrics/swap.py, with the relatives of ReLU and with tokens",
    variant_of="swap",
)
@quantity("harness.proxies.swap:_mean_patterns_of_units")
def swap_units(probe: Probe) -> float:
    """SWAP that counts every unit that passes positive inputs on, on feature maps and on tokens.

    ReLU, GELU, SiLU, Hardswish and the like count, each active where its input is positive. Otherwise as ``swap``, with
    weights drawn anew. What the authors compute for transformers is ``swap_transformers``.

    Raises:
        NotApplicableError: if the network has no such units on feature maps or tokens.
    """
    return _mean_over_draws(probe, any_unit=True)


@proxy(
    "swap_transformers",
    label="SWAP (transformers)",
    better="higher",
    data="images",
    cite="peng2026swap",
    axes=("expressivity",),
    source="src/metrics/swap.py and SWAP_Transformer.py of SWAP_Universal",
    variant_of="swap",
)
@quantity("harness.proxies.swap:_signs_of_outputs")
def swap_transformers(probe: Probe) -> int:
    r"""SWAP as its authors extend it to transformers: signs of the outputs of ReLU, GELU and SiLU.

    The number of distinct patterns :math:`(\operatorname{sign} y_{1u}, \dots, \operatorname{sign} y_{nu})` among all
    units u, with y their outputs for the n images of the first mini-batch; the official script takes 128 texts. A sign
    is −1, 0 or 1: a GELU or SiLU of a far negative input is rounded to 0. Unlike in ``swap``, the weights are the
    network's own, and units on vectors count too. For CNNs the authors draw the weights 32 times, as ``swap`` does.

    Raises:
        NotApplicableError: if the network has no such units, or applies activation functions that are not modules.
    """
    words: list[Tensor] = []

    def after(_: nn.Module, __: object, output: Tensor) -> None:
        signs = output.detach().flatten(1)
        words.append(packed(torch.cat([signs > 0, signs < 0])))

    kinds = (nn.ReLU, nn.GELU, nn.SiLU)
    units = [m for m in probe.network.modules() if is_unit(m) and (stands_for(m, kinds) or "GELU" in type(m).__name__)]
    hooks = [unit.register_forward_hook(after) for unit in units]
    images = probe.batch().images
    with hooked(hooks), torch.no_grad(), untouched(probe.network), probe.seeing(probe.network, Part.ACTIVATIONS):
        probe.network(images.clone())
    if not words:
        raise NotApplicableError("the network has no ReLU, GELU or SiLU modules")
    return distinct_patterns(torch.cat(words, dim=1))


@quantity("harness.proxies.swap:_mean_patterns")
def _mean_patterns(probe: Probe) -> float:
    return _mean_over_draws(probe, any_unit=False)


def _mean_over_draws(probe: Probe, any_unit: bool) -> float:
    images = typical_images(probe, IMAGES)
    draws = gaussian_draws(probe, REPEATS)
    first = next(draws)
    with probe.seeing(first, Part.WEIGHTS, Part.ACTIVATIONS if any_unit else Part.RELUS):
        counts = [_patterns(first, images, any_unit)]
    counts += [_patterns(network, images, any_unit) for network in draws]
    return sum(counts) / len(counts)


def _patterns(network: nn.Module, images: Tensor, any_unit: bool = False) -> int:
    """The number of distinct patterns over at most sixteen images."""
    shown = torch.zeros(2 ** len(images), dtype=torch.bool, device=images.device)
    # A pattern as a binary number; integers up to 2²⁴ are exact in float32.
    places = 2.0 ** torch.arange(len(images), dtype=torch.float32, device=images.device)
    read: list[Tensor] = []

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        on_features = inputs[0].dim() > 2 if any_unit else inputs[0].dim() == 4
        if on_features and not any(inputs[0] is tensor for tensor in read):
            read.append(inputs[0])
            shown[(places @ active_units(inputs[0].detach())).int()] = True

    units = [module for module in network.modules() if (is_unit(module) if any_unit else isinstance(module, nn.ReLU))]
    hooks = [unit.register_forward_pre_hook(before) for unit in units]
    with hooked(hooks), torch.no_grad(), untouched(network):
        network(images.clone())
    if not read:
        kind = "activation functions like ReLU" if any_unit else "ReLU modules"
        raise NotApplicableError(f"the network has no {kind} on feature maps")
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
