"""Modules that stand for functions, and for modules that proxies cannot look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

MARK = "#"
"""Separates the function's name from the number of the call in the name of a module that stands for a call."""


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


class ClampReLU(nn.ReLU):
    """A ReLU that the network computes as a clamp, whose gradient at 0 is 1."""

    stands_for = nn.ReLU

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x.clamp(min=0)


class Softmax(nn.Module):
    """A softmax that the network calls as a function. NEAR counts softmax modules, but not the functions."""

    stands_for = nn.Softmax

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *arguments: Any, **named: Any) -> Tensor:
        """What the function returns."""
        return self._function(*arguments, **named)


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
