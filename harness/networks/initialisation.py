"""How the weights of a network are drawn before it is scored."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.networks.kinds import LAYERS, NORMS, TRANSPOSED, Layer, fan_in_of

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
        KeyError: if there is no such initialisation.
    """
    deviation = _DEVIATIONS[name]
    if deviation is None:
        return network
    drawn: set[int] = set()
    for module in network.modules():
        weight, bias = (getattr(module, part, None) for part in ("weight", "bias"))
        if isinstance(module, LAYERS):
            if isinstance(weight, Tensor) and id(weight) not in drawn:
                drawn.add(id(weight))
                fan_in, fan_out = _fans(module)
                weight.normal_(0.0, deviation(fan_in, fan_out))
        elif isinstance(module, NORMS):
            if isinstance(weight, Tensor):
                weight.fill_(1.0)
        else:
            continue
        if isinstance(bias, Tensor):
            bias.zero_()
    return network


_DEVIATIONS: dict[str, Callable[[int, int], float] | None] = {
    DEFAULT: None,
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
