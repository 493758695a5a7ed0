"""SynFlow: synaptic saliency without data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.probe import gradients, prunable_layers, quantity
from harness.proxies.base import proxy
from harness.proxies.sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe


def _without_batch_norm(module: nn.Module) -> nn.Module:
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.Identity())
        else:
            _without_batch_norm(child)
    return module


@quantity
def _synaptic_flow(probe: Probe) -> Tensor:
    linear = _without_batch_norm(probe.copy()).double()
    with torch.no_grad():
        for tensor in linear.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    like = probe.batch().images
    image = torch.ones(1, *like.shape[1:], dtype=torch.float64, device=like.device)
    weights = [layer.weight for layer in prunable_layers(linear)]
    flow = gradients(linear(image).sum(), weights)
    return sum_of((weight.detach() * g).abs().sum() for weight, g in zip(weights, flow, strict=True))


@proxy(
    "synflow",
    label="SynFlow",
    better="higher",
    data="nothing",
    cite="tanaka2020synflow",
    source="foresight/pruners/measures/synflow.py",
)
def synflow(probe: Probe) -> Tensor:
    r"""Synaptic flow: what passes through every weight of the linearised network.

    :math:`\sum_l \lVert W_l \odot \partial R / \partial W_l \rVert_1`, where R is the sum of the outputs for one image
    of ones, through a copy of the network whose parameters are replaced by their absolute values and whose batch norms
    are replaced by the identity, in float64. Scores span many orders of magnitude (up to 1e61 on deep networks);
    ``log_synflow`` ranks the same and plots better.
    """
    return _synaptic_flow(probe)


@proxy(
    "log_synflow",
    label="log SynFlow",
    better="higher",
    data="nothing",
    cite="krishnakumar2022suite",
    source="logarithm of SynFlow",
    variant_of="synflow",
)
def log_synflow(probe: Probe) -> Tensor:
    """Natural logarithm of SynFlow.

    As NAS-Bench-Suite-Zero reports it; −∞ where nothing flows.
    """
    return _synaptic_flow(probe).log()
