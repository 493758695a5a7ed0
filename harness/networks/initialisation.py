"""How the weights of a network are drawn before it is scored."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import HarnessError
from harness.networks.kinds import LAYERS, NORMS, TRANSPOSED, WEIGHTED, Layer, fan_in_of
from harness.networks.replacing import is_parametrised

DEFAULT = "default"

IN_WORDS = {
    DEFAULT: "PyTorch default",
    "kaiming_fan_in": "Kaiming normal, fan-in",
    "kaiming_fan_out": "Kaiming normal, fan-out",
    "xavier": "Xavier normal",
    "gaussian": "N(0, 1)",
}
"""The initialisations, and how they are called in settings and headings; the default is that of the benchmark."""


def name_of(words: str) -> str:
    """The name of an initialisation from its words, such as those of a stored setting.

    >>> name_of("Xavier normal"), name_of("PyTorch default")
    ('xavier', 'default')
    """
    return next(name for name, known in IN_WORDS.items() if known == words)


@torch.no_grad()
def gaussian_weights(
    network: nn.Module,
    generator: torch.Generator | None = None,
    deviation: Callable[[Any], float] = lambda layer: 1.0,
    kinds: tuple[type[nn.Module], ...] = WEIGHTED,
) -> nn.Module:
    """Draw the weights of layers from N(0, σ²); their biases 0, norm scale 1 and shift 0; in place.

    Weights are drawn in the network's order, one that several layers share only once.

    Args:
        network: may be changed.
        generator: on the CPU, so that the numbers are the same on every device; default: the current random state.
        deviation: gives the σ of a layer's weight; default: 1.
        kinds: the layers; default: convolutions and linear layers.
    """
    drawn: set[int] = set()
    for module in network.modules():
        weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
        if isinstance(module, kinds) and isinstance(weight, Tensor):
            if id(weight) not in drawn:
                drawn.add(id(weight))
                weight.copy_(torch.randn(weight.shape, generator=generator) * deviation(module))
        elif isinstance(module, NORMS):
            if isinstance(weight, Tensor):
                weight.fill_(1.0)
        else:
            continue
        if isinstance(bias, Tensor):
            bias.zero_()
    return network


def initialised(network: nn.Module, name: str) -> nn.Module:
    r"""Draw the weights of every layer anew from torch's global random state, in place; ``default`` changes nothing.

    Weights of convolutions, transposed ones included, and linear layers are drawn from N(0, σ²):

    * ``kaiming_fan_in``: :math:`\sigma^2 = 2 / n_\text{in}` (He et al. 2015, equation 10).
    * ``kaiming_fan_out``: :math:`\sigma^2 = 2 / n_\text{out}` (equation 14).
    * ``xavier``: :math:`\sigma^2 = 2 / (n_\text{in} + n_\text{out})` (Glorot & Bengio 2010).
    * ``gaussian``: σ = 1.

    :math:`n_\text{in}` is the number of weights that an output reads, :math:`n_\text{out}` that of the outputs that an
    input writes to. Biases are 0, scales of normalisations 1 and shifts 0; other parameters, such as the positions of
    a transformer, stay. A weight that layers share is drawn once.

    Raises:
        HarnessError: if a weight is parametrised, so that it is computed and cannot be drawn.
    """
    if name == DEFAULT:
        return network
    if is_parametrised(network):
        raise HarnessError("the network has parametrised weights, which cannot be drawn anew; use the default --init")
    rule = _DEVIATIONS[name]
    return gaussian_weights(network, deviation=lambda layer: rule(*_fans(layer)), kinds=LAYERS)


_DEVIATIONS: dict[str, Callable[[int, int], float]] = {
    "kaiming_fan_in": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "kaiming_fan_out": lambda fan_in, fan_out: math.sqrt(2 / fan_out),
    "xavier": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "gaussian": lambda fan_in, fan_out: 1.0,
}


def _fans(layer: nn.Module) -> tuple[int, int]:
    """The numbers of weights that an output reads, and that an input writes to; groups are taken into account.

    >>> _fans(nn.Conv2d(8, 16, 3)), _fans(nn.Conv2d(8, 16, 3, groups=4)), _fans(nn.ConvTranspose2d(8, 16, 3))
    ((72, 144), (18, 36), (72, 144))
    """
    groups = int(getattr(layer, "groups", 1))
    weight: Tensor = layer.weight  # type: ignore[assignment]
    if isinstance(layer, TRANSPOSED):
        return weight.shape[0] // groups * weight[0, 0].numel(), weight[0].numel()
    plain: Layer = layer  # type: ignore[assignment]
    fan_in = fan_in_of(plain)
    if weight.dim() == 2:
        return fan_in, weight.numel() // fan_in
    return fan_in, weight.shape[0] // groups * weight[0, 0].numel()
