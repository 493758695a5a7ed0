"""wᵀ H g of any network, by dual numbers, or by differentiating twice."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.forward_ad import dual_level, make_dual, unpack_dual

from harness.networks.leaving import untouched
from harness.probe.curvature.batch_norm import with_differentiable_batch_norms
from harness.probe.passes import gradients, prunable_layers


def curvature_in_dual_numbers(network: nn.Module, images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """wᵀ H g, float64, with w the weights, g their loss gradient and H the Hessian of the loss.

    Forward mode propagates the tangent w through one forward and backward pass; the tangent of the gradient is H w. The
    network, in training mode, is not changed.
    """
    try:
        return _in_dual_numbers(network, images, loss)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error):
            raise
        # Some functions, such as SiLU, have second derivatives, but none of their gradient in forward mode.
        return _differentiated_twice(network, images, loss)


def _differentiated_twice(network: nn.Module, images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    weights = [layer.weight for layer in prunable_layers(network)]
    with untouched(network):
        total = loss(network(images.clone()))
    found = torch.autograd.grad(total, weights, create_graph=True, allow_unused=True, materialize_grads=True)
    # The gradient of half the squared length of g is H g.
    half_square = torch.stack([g.square().sum() for g in found]).sum() / 2
    along = gradients(half_square, weights)
    products = [(w.detach().double() * h.double()).sum() for w, h in zip(weights, along, strict=True)]
    return torch.stack(products).sum() if products else images.new_zeros((), dtype=torch.float64)


def _in_dual_numbers(network: nn.Module, images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    twin = with_differentiable_batch_norms(network)
    names = {id(parameter): name for name, parameter in twin.named_parameters()}
    weights = [layer.weight for layer in prunable_layers(twin)]
    total = images.new_zeros((), dtype=torch.float64)
    with dual_level(), untouched(twin):
        duals = {names[id(w)]: make_dual(w, w.detach().clone()) for w in weights}
        outputs = torch.func.functional_call(twin, duals, (images.clone(),))
        for gradient in gradients(loss(outputs), weights):
            primal, tangent = unpack_dual(gradient)
            if tangent is not None:
                total = total + (primal.double() * tangent.double()).sum()
    return total
