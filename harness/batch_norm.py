r"""Batch norm in training mode whose forward derivative, and that of its gradient, are exact and cheap.

torch decomposes the forward derivative of batch norm into dozens of elementwise operations, which cost more than all
the convolutions of a small network. With :math:`\hat x = (x - \mu) r`, r = 1/σ, m(·) the mean over a channel and
:math:`P(v) = v - m(v) - \hat x\, m(\hat x v)`, the Jacobian γ r P is symmetric within each channel. So the tangent of
the output is what the fused backward kernel gives for the tangent of the input. Differentiating the gradient
d = γ r P(g) once more, along a tangent t of the input and h of g, gives

.. math:: \dot d = \gamma r P(h) - r\, m(\hat x t)\, d - \gamma r^2 m(\hat x g)\, P(t) - r\, m(t d)\, \hat x .
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

ACROSS = (0, 2, 3)


class _Normalise(Function):
    """y = γ x̂ + β by the statistics of the batch; also gives μ and r."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        return torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, weight, _, ctx.eps = inputs
        _, mean, inverse_deviation = output
        ctx.mark_non_differentiable(mean, inverse_deviation)
        ctx.save_for_backward(x, weight, mean, inverse_deviation)
        ctx.save_for_forward(x, weight, mean, inverse_deviation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Gradient.apply(gradients[0], *ctx.saved_tensors, ctx.eps), None, None, None  # type: ignore[no-untyped-call]

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        x, weight, mean, inverse_deviation = ctx.saved_tensors
        return _fused_gradient(tangents[0], x, weight, mean, inverse_deviation, ctx.eps)[0], None, None


class _Gradient(Function):
    """d = γ r P(g), the gradient with respect to x, with a forward derivative of its own."""

    @staticmethod
    def forward(g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse_deviation: Tensor, eps: float) -> Tensor:
        return _fused_gradient(g, x, weight, mean, inverse_deviation, eps)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.eps = inputs[-1]
        ctx.save_for_forward(*inputs[:-1], output)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        g, x, weight, mean, r, d = ctx.saved_tensors
        along_g, along_x = tangents[:2]
        size = x.numel() // x.shape[1]
        result = torch.zeros_like(d) if along_g is None else _fused_gradient(along_g, x, weight, mean, r, ctx.eps)[0]
        if along_x is None:
            return result
        # The kernel's gradient of γ is the sum of x̂ times what is passed back.
        normalised, sum_along_x = _fused_gradient(along_x, x, torch.ones_like(weight), mean, r, ctx.eps)
        sum_g = _fused_gradient(g, x, weight, mean, r, ctx.eps, only_sum=True)[1]
        of_x = -r * (along_x * d).mean(ACROSS) * r
        result.addcmul_(d, _channels(-r * sum_along_x / size))
        result.addcmul_(normalised, _channels(-weight * r * sum_g / size))
        result.addcmul_(x, _channels(of_x))
        return result.sub_(_channels(of_x * mean))


def _fused_gradient(
    g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse_deviation: Tensor, eps: float, only_sum: bool = False
) -> tuple[Tensor, Tensor]:
    """γ r P(g) and the sum of x̂ g over each channel, by torch's fused kernel."""
    mask = [not only_sum, True, False]
    d, total, _ = torch.ops.aten.native_batch_norm_backward(
        g, x, weight, None, None, mean, inverse_deviation, True, eps, mask
    )
    return d, total


def _channels(values: Tensor) -> Tensor:
    return values[None, :, None, None]


class DifferentiableBatchNorm(nn.Module):
    """Stands in for a :class:`torch.nn.BatchNorm2d` in training mode; running statistics are neither read nor kept."""

    def __init__(self, original: nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = original.weight, original.bias, original.eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalised by the batch's own statistics, scaled and shifted: (batch, channels, height, width)."""
        normalised: Tensor = _Normalise.apply(x, self.weight, self.bias, self.eps)[0]  # type: ignore[no-untyped-call]
        return normalised


def with_differentiable_batch_norms(network: nn.Module) -> nn.Module:
    """A copy of the network that computes the same in training mode, and whose derivatives go through this module."""
    return _replace(copy.deepcopy(network))


def _replace(module: nn.Module) -> nn.Module:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and child.affine and child.training:
            setattr(module, name, DifferentiableBatchNorm(child))
        else:
            _replace(child)
    return module
