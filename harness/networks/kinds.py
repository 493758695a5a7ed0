"""The kinds of modules that proxies know: layers with weights, activation functions, normalisations."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from harness.networks.stand_ins import MARK, MatrixProduct

Layer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear | MatrixProduct

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, MatrixProduct)
"""The layers whose weights are scored."""

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Transposed convolutions; each proxy documents how it treats them."""

LAYERS: tuple[type[nn.Module], ...] = (*WEIGHTED, *TRANSPOSED)
"""The layers that proxies can find."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

ACTIVATION_MODULES: tuple[type[nn.Module], ...] = tuple(getattr(nn, name) for name in nn.modules.activation.__all__)

UNITS: tuple[type[nn.Module], ...] = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU),
    *(nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Softplus),
)
"""Activation functions that pass positive inputs on and hold negative ones back: ReLU and its relatives."""

NORMS_OF_IMAGES: tuple[type[nn.Module], ...] = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, _InstanceNorm)
"""Normalisations by the statistics of each image, or of a part of it."""

BATCH_NORM = _BatchNorm
"""Batch norms of any number of axes."""

NORMS: tuple[type[nn.Module], ...] = (BATCH_NORM, *NORMS_OF_IMAGES)
"""All normalisations."""


def does_more_than_normalise(module: nn.Module) -> bool:
    """Whether a normalisation of a class of its own has parts, such as an activation function."""
    return isinstance(module, NORMS) and any(True for _ in module.children())


def outputs_of(layer: Layer) -> int:
    """The number of output channels or features."""
    return layer.weight.shape[1] if isinstance(layer, MatrixProduct) else layer.weight.shape[0]


def fan_in_of(layer: Layer) -> int:
    """The number of weights that one output reads."""
    return layer.weight.shape[0] if isinstance(layer, MatrixProduct) else layer.weight[0].numel()


def positions_of(layer: Layer, output: Tensor) -> int:
    """The number of positions of one image's output: pixels, tokens, or 1 for a vector.

    >>> import torch
    >>> positions_of(nn.Linear(8, 4), torch.zeros(2, 7, 4))
    7
    """
    return output.numel() // (len(output) * outputs_of(layer))


def channel_axis(module: nn.Module, output: Tensor) -> int:
    """The axis of the channels in what a module with a weight returns: -1 after linear layers and layer norms, or 1.

    >>> import torch
    >>> channel_axis(nn.Linear(8, 4), torch.zeros(2, 7, 4)), channel_axis(nn.Conv1d(8, 4, 1), torch.zeros(2, 4, 7))
    (-1, 1)
    """
    if output.dim() > 2 and isinstance(module, (nn.Linear, MatrixProduct, nn.LayerNorm, nn.RMSNorm)):
        # Layer norms of feature maps move the channels to the end and back.
        size = module.weight.numel() if isinstance(module, nn.LayerNorm) and module.weight is not None else 0
        return 1 if output.dim() == 4 and output.shape[1] == size != output.shape[-1] else -1
    return 1


def stands_for(module: nn.Module, kinds: type[nn.Module] | tuple[type[nn.Module], ...]) -> bool:
    """Whether a module is of one of the kinds, or replaces one that is."""
    return isinstance(module, kinds) or issubclass(getattr(type(module), "stands_for", type(None)), kinds)


def is_relu(module: nn.Module) -> bool:
    """Whether a module is a ReLU of any kind, by its class name, and not a block that contains other modules."""
    return "ReLU" in type(module).__name__ and not any(True for _ in module.children())


_UNIT_NAMES = ("GELU", "SiLU", "Swish", "Mish")


def is_unit(module: nn.Module) -> bool:
    """Whether a module is a ReLU or one of its relatives, such as GELU and SiLU, by its class or its class's name.

    Libraries write some of them in arithmetic, as Hugging Face's ``NewGELUActivation``.
    """
    if is_relu(module) or isinstance(module, UNITS):
        return True
    if not any(word in type(module).__name__ for word in _UNIT_NAMES):
        return False
    # Modules that stand for functions may be in it, but no parts of its own.
    return all(MARK in name for name in module._modules) and not any(map(is_unit, module.children()))
