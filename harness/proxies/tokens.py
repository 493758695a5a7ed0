r"""Proxies made for transformers: DSS, and AZ-NAS's scores on tokens.

The residual stream :math:`x_1, \dots, x_L` of a transformer is what its layer norms read: after each attention and
after each feed-forward part. It is found as the inputs of the layer norms, in the order of their calls, without the
first, which reads the embedding. In networks with the norm before each part (ViT, DeiT, AutoFormer), these are the
outputs of all parts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.passes import gradients
from harness.probe.usage import Part, seeing
from harness.proxies._drawn import NOISE_IMAGES, gaussian_images
from harness.proxies._spectra import agreement_of_gradients, nan_to_worst, spectral_entropy
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe

_ATTENTION = ("attn", "attention", "qkv")


@proxy(
    "dss",
    label="DSS",
    better="higher",
    data="nothing",
    cite="zhou2022tftas",
    axes=("trainability",),
    source="lib/training_free/indicators/dss.py of decemberzhou/TF_TAS",
)
def dss(probe: Probe) -> Tensor:
    r"""Synaptic diversity of the attention plus synaptic saliency of the other linear layers, without data.

    :math:`\sum_{m} \lVert \partial R / \partial W_m \rVert_* \, \lVert W_m \rVert_* + \sum_n \lVert \partial R /
    \partial W_n \odot W_n \rVert_1`, with the nuclear norm :math:`\lVert \cdot \rVert_*`, over the linear layers m of
    attention (queries, keys, values and the projection after it) and all other linear layers n, the classifier
    included. R is the sum of the outputs for one image of ones, through a copy whose parameters are replaced by their
    absolute values, in float64 and training mode; norms stay. Patch embeddings and other convolutions do not count, as
    in the official code.

    A linear layer belongs to attention if its path in the network contains ``attn``, ``attention`` or ``qkv``; the
    official code knows its own classes.

    Raises:
        NotApplicableError: if the network has no linear layers of attention, or a batch norm, for which one image has
            no variance.
    """
    network = probe.copy().double()
    _require_tokens(network)
    attention, others = _linear_layers(network)
    if not attention:
        raise NotApplicableError("the network has no linear layers of attention")
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    like = probe.batch().images
    image = torch.ones(1, *like.shape[1:], dtype=torch.float64, device=like.device)
    with probe.seeing(network, Part.WEIGHTS), untouched(network):
        outputs = network(image)
    weights = [layer.weight for layer in (*attention, *others)]
    pairs = list(zip(weights, gradients(outputs.sum(), weights), strict=True))
    diversity = [_nuclear(gradient) * _nuclear(weight.detach()) for weight, gradient in pairs[: len(attention)]]
    saliency = [(gradient * weight.detach()).abs().sum() for weight, gradient in pairs[len(attention) :]]
    return sum_of([*diversity, *saliency])


def _nuclear(matrix: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.matrix_norm(matrix, ord="nuc")
    return norm


def _require_tokens(network: nn.Module) -> None:
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()):
        raise NotApplicableError("the network has batch norms; one image has no variance")


def _linear_layers(network: nn.Module) -> tuple[list[nn.Linear], list[nn.Linear]]:
    """The linear layers of attention, and the others; of layers that share a weight, only the first."""
    attention: list[nn.Linear] = []
    others: list[nn.Linear] = []
    known: set[int] = set()
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and id(module.weight) not in known:
            known.add(id(module.weight))
            inside = any(word in name.lower() for word in _ATTENTION)
            (attention if inside else others).append(module)
    return attention, others


@quantity("harness.proxies.tokens:_residual_stream")
def _residual_stream(probe: Probe) -> list[Tensor]:
    """What the layer norms read, (images, tokens, channels), attached to its graph, without the embedding."""
    network = probe.copy().eval()
    read: list[Tensor] = []

    def before(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].dim() == 3:
            read.append(inputs[0])

    norms = [module for module in network.modules() if isinstance(module, nn.LayerNorm)]
    if not norms:
        raise NotApplicableError("the network has no layer norms, between which the tokens would be read")
    handles = [module.register_forward_pre_hook(before) for module in norms]
    with hooked(handles), seeing(network, Part.NORMS), untouched(network):
        network(gaussian_images(probe, NOISE_IMAGES))
    if len(read) < 3:
        raise NotApplicableError("fewer than three layer norms read tokens; there is no residual stream")
    return read[1:]


@proxy(
    "az_expressivity_tokens",
    label="AZ expressivity (tokens)",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("expressivity",),
    source="the formula of ImageNet_AutoFormer/lib/training_free/indicators/az_nas.py",
    batches=1,
)
def az_expressivity_tokens(probe: Probe) -> Tensor:
    r"""AZ-NAS's expressivity of a transformer: how evenly the tokens after each part spread over their directions.

    :math:`\sum_l H_l` with the entropies of ``az_expressivity``, where images and tokens are the observations of the
    residual stream :math:`x_l`. The network has its own weights and is in evaluation mode, as in the official code for
    AutoFormer; it sees 64 images of standard normal noise.

    Raises:
        NotApplicableError: if fewer than three layer norms read tokens.
    """
    return nan_to_worst(
        torch.stack([spectral_entropy(x.detach().flatten(0, 1)) for x in _residual_stream(probe)]).sum()
    )


@proxy(
    "az_trainability_tokens",
    label="AZ trainability (tokens)",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("trainability",),
    source="the formula of ImageNet_AutoFormer/lib/training_free/indicators/az_nas.py",
    batches=1,
)
def az_trainability_tokens(probe: Probe) -> Tensor:
    r"""AZ-NAS's trainability of a transformer: how closely each part preserves the size of a gradient.

    :math:`\operatorname{mean}_l (2 - \sigma_l - 1 / (\sigma_l + 10^{-6}))` as in ``az_trainability``, from each
    :math:`x_l` of the residual stream to the one before. A part that passes the random signs unchanged is left out, as
    in the official code. So are parts that change the number of tokens or channels, as the pooling of PiT does, for
    which that code raises an error.

    Raises:
        NotApplicableError: if fewer than three layer norms read tokens, or no part keeps their shape.
    """
    terms = []
    for before, after in pairwise(_residual_stream(probe)):
        if before.shape != after.shape or not before.requires_grad:
            continue
        signs = torch.empty_like(after).copy_(torch.randint(2, after.shape) * 2.0 - 1)
        (passed,) = gradients((after * signs).sum(), [before], retain_graph=True)
        if not torch.equal(passed, signs):
            terms.append(agreement_of_gradients(passed.flatten(0, 1), signs.flatten(0, 1)))
    if not terms:
        raise NotApplicableError("no part of the network keeps the shape of the tokens")
    return nan_to_worst(torch.stack(terms).mean())
