"""Seven proxies, computed separately as in the code behind the published tables.

This is the reference for the harness's performance. Every proxy has its own copy of the network and its own passes, in
torch's default memory layout, and GraSP differentiates twice, as in the code of Abdelfattah et al. 2021. Written from
that description; the scores equal those of :mod:`harness.proxies`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe.passes import prunable_layers
from harness.proxies._alterations import without_batch_norm

Score = Callable[[nn.Module, Batch], float]


def _backward(network: nn.Module, batch: Batch) -> None:
    F.cross_entropy(network(batch.images), batch.labels).backward()  # type: ignore[no-untyped-call]


def _gradients(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    weights = [layer.weight for layer in prunable_layers(network)]
    return [(weight.detach(), torch.zeros_like(weight) if weight.grad is None else weight.grad) for weight in weights]


def grad_norm(network: nn.Module, batch: Batch) -> float:
    """Σ of the layers' gradient norms."""
    _backward(network, batch)
    return float(sum(gradient.norm().item() for _, gradient in _gradients(network)))


def plain(network: nn.Module, batch: Batch) -> float:
    """Σ of weights times gradients."""
    _backward(network, batch)
    return sum((weight * gradient).sum().item() for weight, gradient in _gradients(network))


def snip(network: nn.Module, batch: Batch) -> float:
    """Σ of the absolute gradients of masks that multiply the weights."""
    masks = []
    for layer in prunable_layers(network):
        layer.weight.requires_grad_(False)
        masks.append(torch.ones_like(layer.weight, requires_grad=True))
        layer.forward = _masked(layer, masks[-1])  # type: ignore[method-assign, assignment]
    _backward(network, batch)
    return sum(mask.grad.abs().sum().item() for mask in masks if mask.grad is not None)


def _masked(layer: Any, mask: Tensor) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        if isinstance(layer, nn.Linear):
            return F.linear(x, layer.weight * mask, layer.bias)
        result: Tensor = layer._conv_forward(x, layer.weight * mask, layer.bias)
        return result

    return forward


def grasp(network: nn.Module, batch: Batch) -> float:
    """−Σ of weights times the Hessian times the gradient, by differentiating twice."""
    weights = [layer.weight for layer in prunable_layers(network)]
    loss = F.cross_entropy(network(batch.images), batch.labels)
    first = torch.autograd.grad(loss, weights, allow_unused=True)
    loss = F.cross_entropy(network(batch.images), batch.labels)
    again = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    product = sum((a.detach() * b).sum() for a, b in zip(first, again, strict=True) if a is not None and b is not None)
    if isinstance(product, Tensor) and product.requires_grad:
        product.backward()  # type: ignore[no-untyped-call]
    return -sum((weight * hessian).sum().item() for weight, hessian in _gradients(network))


def fisher(network: nn.Module, batch: Batch) -> float:
    """Σ of the squared saliencies of the channels, weighted by fan-in."""
    total = 0.0

    def after(layer: nn.Module, _: Any, output: Tensor) -> None:
        output.register_hook(lambda gradient: add(layer, output.detach() * gradient))  # type: ignore[no-untyped-call]

    def add(layer: Any, product: Tensor) -> None:
        nonlocal total
        of_image = product.sum(dim=list(range(2, product.dim()))) if product.dim() > 2 else product
        total += of_image.square().mean(dim=0).sum().item() / 2 * layer.weight[0].numel()

    for layer in prunable_layers(network):
        layer.register_forward_hook(after)
    _backward(network, batch)
    return total


def jacob_cov(network: nn.Module, batch: Batch) -> float:
    """Minus Σ of log λ + 1 / λ over the eigenvalues of the input Jacobian's correlations; NaN if it does not exist."""
    images = batch.images.clone().requires_grad_(True)
    outputs = network(images)
    outputs.backward(torch.ones_like(outputs))
    if images.grad is None:
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(images.grad.flatten(1).double())) + 1e-5
    return float(-(eigenvalues.log() + 1 / eigenvalues).sum())


def synflow(network: nn.Module, batch: Batch) -> float:
    """Σ of weights times gradients of the linearised network, for one image of ones."""
    network = without_batch_norm(network).double()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.abs_()
    network(torch.ones(1, *batch.images.shape[1:], dtype=torch.float64)).sum().backward()
    return sum((weight * gradient).abs().sum().item() for weight, gradient in _gradients(network))


PUBLISHED: dict[str, Score] = {
    "grad_norm": grad_norm,
    "snip": snip,
    "grasp": grasp,
    "fisher": fisher,
    "jacob_cov": jacob_cov,
    "plain": plain,
    "synflow": synflow,
}


def one_by_one(network: nn.Module, batch: Batch) -> dict[str, float]:
    """The seven scores, each on its own copy of the network, in torch's default layout."""
    return {name: score(copy.deepcopy(network), batch) for name, score in PUBLISHED.items()}
