"""SynFlow: synaptic saliency without data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.probe import quantity
from harness.probe.passes import gradients, prunable_layers
from harness.probe.usage import Part
from harness.proxies._alterations import without_norms
from harness.proxies._features import of_one_image
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from torch import nn

    from harness.probe import Probe


@quantity("harness.proxies.synflow:_synaptic_flow")
def _synaptic_flow(probe: Probe) -> Tensor:
    return _flow(probe, without_norms(probe.copy()), Part.WEIGHTS, Part.BATCH_NORMS, Part.NORMS)


def _flow(probe: Probe, network: nn.Module, *parts: Part) -> Tensor:
    """Σ |W · ∂R/∂W| of a copy of the network, after replacing its parameters by their absolute values."""
    linear = network.double()
    with torch.no_grad():
        for tensor in linear.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    like = probe.batch().images
    image = torch.ones(1, *like.shape[1:], dtype=torch.float64, device=like.device)
    weights = [layer.weight for layer in prunable_layers(linear)]
    with probe.seeing(linear, *parts):
        outputs = linear(image)
    flow = gradients(outputs.sum(), weights)
    return sum_of((weight.detach() * g).abs().sum() for weight, g in zip(weights, flow, strict=True))


@proxy(
    "synflow",
    label="SynFlow",
    better="higher",
    data="nothing",
    cite="tanaka2020synflow",
    axes=("trainability",),
    source="foresight/pruners/measures/synflow.py",
)
def synflow(probe: Probe) -> Tensor:
    r"""Synaptic flow: sum over weights of their share in the output of the linearised network.

    :math:`\sum_l \lVert W_l \odot \partial R / \partial W_l \rVert_1`, where R is the sum of the outputs for one image
    of ones, through a copy of the network whose parameters are replaced by their absolute values and whose batch norms
    are replaced by the identity, in float64. Layer norms and other normalisations of single images are replaced too:
    what flows is undefined if it is normalised. Scores span many orders of magnitude (up to 1e61 on deep networks);
    ``log_synflow`` ranks the same and plots better.
    """
    return _synaptic_flow(probe)


@proxy(
    "log_synflow",
    label="log SynFlow",
    better="higher",
    data="nothing",
    cite="krishnakumar2022suite",
    axes=("trainability",),
    source="logarithm of SynFlow",
    variant_of="synflow",
)
def log_synflow(probe: Probe) -> Tensor:
    """Natural logarithm of SynFlow.

    As NAS-Bench-Suite-Zero reports it; −∞ if SynFlow is 0.
    """
    return _synaptic_flow(probe).log()


@proxy(
    "synflow_bn",
    label="SynFlow (BN)",
    better="higher",
    data="nothing",
    cite="abdelfattah2021zero",
    axes=("trainability",),
    source="synflow_bn in foresight/pruners/measures/synflow.py; the survey's code computes this as SynFlow",
    variant_of="synflow",
)
@quantity("harness.proxies.synflow:_flow_with_batch_norm")
def synflow_bn(probe: Probe) -> Tensor:
    r"""SynFlow with batch norms kept, in training mode.

    Otherwise as ``synflow``. The survey's code intends to remove the batch norms, but ignores the flag for it. In
    training mode the batch norms normalise the image of ones by its own statistics, which removes all scale and every
    constant. What remains comes from zero padding at the border, so this does not measure synaptic flow. If a map is
    constant in spite of the padding, its variance is rounding error, and so is the score.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, which has no variance.
    """
    with of_one_image():
        return _flow(probe, probe.copy(), Part.WEIGHTS)
