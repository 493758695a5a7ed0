"""The kinds of modules that proxies know: layers with weights, activation functions, normalisations."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm


class MatrixProduct(nn.Module):
    """A product x W with a matrix that belongs to no linear layer, as a layer of its own.

    Its weight is (inputs, outputs), the transpose of a linear layer's.
    """

    stands_for = nn.Linear

    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return x @ self.weight


class Hardsigmoid(nn.Hardsigmoid):
    """A hard sigmoid that can be differentiated twice; torch's own function cannot."""

    stands_for = nn.Hardsigmoid

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return (x + 3).clamp(0, 6) / 6


class Hardswish(nn.Hardswish):
    """A hard swish that can be differentiated twice; torch's own function cannot."""

    stands_for = nn.Hardswish

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * (x + 3).clamp(0, 6) / 6


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


NORMS: tuple[type[nn.Module], ...] = (nn.modules.batchnorm._BatchNorm, *NORMS_OF_IMAGES)
"""All normalisations."""


class NormAndActivation(nn.Module):
    """A normalisation that also drops and activates, as timm's, in parts that proxies know."""

    def __init__(self, original: nn.Module, kind: type[nn.Module]) -> None:
        super().__init__()
        # The norm keeps what its class had, without the parts.
        norm = kind.__new__(kind)
        norm.__dict__.update(original.__dict__, _modules={})
        self.norm, self.drop, self.act = norm, *(original.get_submodule(name) for name in ("drop", "act"))
        self.train(original.training)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        activated: Tensor = self.act(self.drop(self.norm(x)))
        return activated


def parted(module: nn.Module) -> NormAndActivation | None:
    """What stands for a normalisation of timm that also activates; None for any other module."""
    kinds = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    kind = next((kind for kind in kinds if isinstance(module, kind)), None)
    is_known = type(module).__module__.startswith("timm.layers.") and {"drop", "act"} == set(module._modules)
    if kind is None or not is_known or type(module).__name__ not in ("BatchNormAct2d", "GroupNormAct", "LayerNormAct"):
        return None
    return NormAndActivation(module, kind)


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
    return all("#" in name for name in module._modules) and not any(map(is_unit, module.children()))
