r"""Batch norm in training mode with exact and cheap forward derivatives of its output and of its gradient.

torch decomposes the forward derivative of batch norm into dozens of elementwise operations, which cost more than all
convolutions of a small network. With :math:`\hat x = (x - \mu) r`, r = 1/σ, m(·) the mean over a channel and
:math:`P(v) = v - m(v) - \hat x\, m(\hat x v)`, the Jacobian γ r P is symmetric within each channel. So the fused
backward kernel, applied to the tangent of the input, gives the tangent of the output. Differentiating the gradient d =
γ r P(g) once more, along a tangent t of the input and h of g, gives

.. math:: \dot d = \gamma r P(h) - r\, m(\hat x t)\, d - \gamma r^2 m(\hat x g)\, P(t) - r\, m(t d)\, \hat x .
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from harness.networks.replacing import deep_copy, replace_modules


class _Normalise(Function):
    """y = γ x̂ + β with the statistics of the batch; also returns μ and r."""

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
        return fused_gradient(tangents[0], x, weight, mean, inverse_deviation, ctx.eps)[0], None, None


class _Gradient(Function):
    """d = γ r P(g), the gradient with respect to x, with its own forward derivative."""

    @staticmethod
    def forward(g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse_deviation: Tensor, eps: float) -> Tensor:
        return fused_gradient(g, x, weight, mean, inverse_deviation, eps)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.eps = inputs[-1]
        ctx.save_for_forward(*inputs[:-1], output)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        g, x, weight, mean, r, d = ctx.saved_tensors
        along_g, along_x = tangents[:2]
        if along_x is None:
            return torch.zeros_like(d) if along_g is None else fused_gradient(along_g, x, weight, mean, r, ctx.eps)[0]
        along_y, sum_along_x = fused_gradient(along_x, x, weight, mean, r, ctx.eps)
        sum_g, _ = _channel_sums(g, x, mean, r, ctx.eps)
        return tangent_of_gradient(along_g, along_x, along_y, d, sum_g, sum_along_x, x, weight, mean, r, ctx.eps)


def tangent_of_gradient(
    along_g: Tensor | None,
    along_x: Tensor,
    along_y: Tensor,
    d: Tensor,
    sum_g: Tensor,
    sum_along_x: Tensor,
    x: Tensor,
    weight: Tensor,
    mean: Tensor,
    r: Tensor,
    eps: float,
    plus_gradient: bool = False,
) -> Tensor:
    """The tangent of d = γ r P(g): the formula above, arranged so that each tensor is read once.

    Args:
        along_g: the tangent h of g; None for zero.
        along_x: the tangent t of x.
        along_y: the tangent γ r P(t) of the output.
        d: the gradient with respect to x.
        sum_g: Σ x̂ g over each channel, the gradient of γ.
        sum_along_x: Σ x̂ t over each channel.
        x: the input of the batch norm.
        weight: γ.
        mean: μ.
        r: 1 / σ.
        eps: added to the variance.
        plus_gradient: return the sum of the tangent and d.
    """
    size = x.numel() // x.shape[1]
    sum_products, _ = _channel_sums(along_x, d, torch.zeros_like(mean), torch.ones_like(r), eps)
    of_normalised = -r * sum_products / size
    shift = torch.zeros_like(mean)
    if along_g is not None:
        sum_along_g, plain_sum = _channel_sums(along_g, x, mean, r, eps)
        of_normalised = of_normalised - weight * r * sum_along_g / size
        shift = -weight * r * plain_sum / size
    of_x = r * of_normalised
    of_d = int(plus_gradient) - r * sum_along_x / size
    result = torch.addcmul(_channels(shift - of_x * mean), d, _channels(of_d))
    result.addcmul_(along_y, _channels(-r * sum_g / size)).addcmul_(x, _channels(of_x))
    return result if along_g is None else result.addcmul_(along_g, _channels(weight * r))


def fused_gradient(
    g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse_deviation: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """γ r P(g), and Σ x̂ g over each channel, by torch's fused kernel."""
    mask = [True, True, False]
    d, products, _ = torch.ops.aten.native_batch_norm_backward(
        g, x, weight, None, None, mean, inverse_deviation, True, eps, mask
    )
    return d, products


def _channel_sums(g: Tensor, x: Tensor, mean: Tensor, inverse_deviation: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Σ x̂ g and Σ g over each channel: the fused kernel's gradients of γ and β."""
    mask = [False, True, True]
    _, products, plain = torch.ops.aten.native_batch_norm_backward(
        g, x, torch.ones_like(mean), None, None, mean, inverse_deviation, True, eps, mask
    )
    return products, plain


def _channels(values: Tensor) -> Tensor:
    return values[None, :, None, None]


class DifferentiableBatchNorm(nn.Module):
    """Replaces a :class:`torch.nn.BatchNorm2d` in training mode; running statistics are neither read nor updated."""

    def __init__(self, original: nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = original.weight, original.bias, original.eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch's own statistics, scale and shift: (batch, channels, height, width)."""
        normalised: Tensor = _Normalise.apply(x, self.weight, self.bias, self.eps)[0]  # type: ignore[no-untyped-call]
        return normalised


def with_differentiable_batch_norms(network: nn.Module) -> nn.Module:
    """A copy with the same training-mode outputs, whose batch norms use the derivatives of this module."""
    return replace_modules(deep_copy(network), _differentiable)


def _differentiable(module: nn.Module) -> nn.Module | None:
    is_known = type(module).forward is nn.BatchNorm2d.forward
    if isinstance(module, nn.BatchNorm2d) and is_known and module.affine and module.training:
        return DifferentiableBatchNorm(module)
    return None
