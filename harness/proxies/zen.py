"""Zen-Score: how far a perturbed input moves the features of a network with Gaussian weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.probe import NotApplicableError, quantity
from harness.proxies.base import proxy
from harness.proxies.sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe

PERTURBATION = 0.01


def _gaussian_weights(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Every convolution and linear weight from N(0, 1), biases 0, batch norm scale 1 and shift 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.copy_(torch.randn(module.weight.shape, generator=generator))
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.affine:
            module.weight.fill_(1.0)
            module.bias.zero_()
    return network


@proxy(
    "zen",
    label="Zen-Score",
    better="higher",
    data="noise",
    cite="lin2021zen",
    source="ZeroShotProxy/compute_zen_score.py",
    batches=1,
)
def zen(probe: Probe) -> Tensor:
    r"""How far a small change of the input moves the features, with the scale that batch norm removes put back.

    :math:`\log \operatorname{mean}_n \lVert f(x_n + \alpha \epsilon_n) - f(x_n) \rVert_1 + \sum_{BN} \log
    \sqrt{\operatorname{mean}_c \sigma^2_c}` with f the features before global pooling, x and ε from N(0, 1), α = 0.01,
    Gaussian weights, training mode and residual connections kept. As the official code does, σ² is the running
    variance after the two passes (.81 + .19 of the batch variance) and the norm is L1; the paper's algorithm has the
    batch variance and the Frobenius norm. One repeat.

    Raises:
        NotApplicableError: if the network does not offer ``forward_features``.
    """
    return _zen(probe)


@quantity
def _zen(probe: Probe) -> Tensor:
    if not hasattr(probe.network, "forward_features"):
        raise NotApplicableError("the network has no forward_features (the feature map before global pooling)")
    like = probe.batch().images
    generator = torch.Generator().manual_seed(probe.seed)
    with torch.no_grad():
        network: Any = _gaussian_weights(probe.copy(), generator)
        inputs = torch.empty_like(like).copy_(torch.randn(like.shape, generator=generator))
        noise = torch.empty_like(like).copy_(torch.randn(like.shape, generator=generator))
        features: Tensor = network.forward_features(inputs)
        moved: Tensor = network.forward_features(inputs + PERTURBATION * noise)
        distance = (moved - features).abs().flatten(1).sum(dim=1).mean().double().log()
        return distance + sum_of(m.running_var.mean().sqrt().log() for m in network.modules() if _keeps_variance(m))


def _keeps_variance(module: nn.Module) -> bool:
    return isinstance(module, nn.BatchNorm2d) and module.running_var is not None
