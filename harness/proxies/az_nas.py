r"""The parts of AZ-NAS, from the block features of a network on noise images.

A copy of the network with Kaiming-normal weights (fan-in) sees 64 images of standard normal noise in training mode.
:math:`f_1, \dots, f_L` are its features after the stem and after each block. The network returns them from a method
``forward_blocks(images) -> list[Tensor]``, each of shape (images, channels, height, width). The official code draws
images of the data set's resolution; here they have the shape of the run's images.

The fourth part, complexity, is #FLOPs (``flops``). The score of AZ-NAS adds log(rank / number of networks) over the
four parts. It depends on which networks are ranked together, so it is an aggregate (``az_nas``), not a proxy.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.contracts.proxy import proxy
from harness.networks.leaving import untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.passes import gradients
from harness.probe.usage import Part
from harness.proxies._drawn import NOISE_IMAGES, gaussian_images, kaiming_copy
from harness.proxies._spectra import agreement_of_gradients, nan_to_worst, spectral_entropy

if TYPE_CHECKING:
    from harness.probe import Probe


@quantity("harness.proxies.az_nas:_block_features")
def _block_features(probe: Probe) -> list[Tensor]:
    """The features after the stem and each block, attached to their graph."""
    if not hasattr(probe.network, "forward_blocks"):
        raise NotApplicableError("the network has no forward_blocks (the features after stem and blocks)")
    network: Any = kaiming_copy(probe)
    with probe.seeing(network, Part.WEIGHTS, method="forward_blocks"), untouched(network):
        features: list[Tensor] = network.forward_blocks(gaussian_images(probe, NOISE_IMAGES))
    if len(features) < 2 or any(feature.dim() != 4 for feature in features):
        raise NotApplicableError("forward_blocks must return at least two 4-D feature maps")
    return features


@quantity("harness.proxies.az_nas:_spectral_entropies")
def _spectral_entropies(probe: Probe) -> Tensor:
    """Entropy of each block's normalised covariance spectrum: (blocks,), float64; NaN for zeros."""
    return torch.stack([spectral_entropy(_rows(feature.detach())) for feature in _block_features(probe)])


def _rows(feature: Tensor) -> Tensor:
    """A feature map as (images · positions, channels)."""
    return feature.permute(0, 2, 3, 1).flatten(0, 2)


@proxy(
    "az_expressivity",
    label="AZ expressivity",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("expressivity",),
    source="NB201/ZeroShotProxy/compute_az_nas_score.py",
    batches=1,
)
def az_expressivity(probe: Probe) -> Tensor:
    r"""AZ-NAS's expressivity: how evenly the features of each block spread over their directions.

    :math:`\sum_l H_l` with :math:`H_l = -\sum_i p_i \log(p_i + 10^{-8})`, where p are the eigenvalues of the covariance
    of :math:`f_l` between channels (images and positions are the observations), divided by their sum. −∞ if a block
    outputs only zeros, as in the official code. There, rounding in float32 can also make an eigenvalue negative enough
    to give NaN and so −∞; here the spectrum is computed in float64, which avoids this.

    Raises:
        NotApplicableError: if the network does not offer ``forward_blocks``.
    """
    return nan_to_worst(_spectral_entropies(probe).sum())


@proxy(
    "az_progressivity",
    label="AZ progressivity",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("expressivity",),
    source="NB201/ZeroShotProxy/compute_az_nas_score.py",
    batches=1,
)
def az_progressivity(probe: Probe) -> Tensor:
    r"""AZ-NAS's progressivity: the least growth of expressivity from one block to the next.

    :math:`\min_l (H_{l+1} - H_l)` with the entropies of ``az_expressivity``. −∞ if a block outputs only zeros.

    Raises:
        NotApplicableError: if the network does not offer ``forward_blocks``.
    """
    return nan_to_worst(_spectral_entropies(probe).diff().min())


@proxy(
    "az_trainability",
    label="AZ trainability",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("trainability",),
    source="NB201/ZeroShotProxy/compute_az_nas_score.py",
    batches=1,
)
@quantity("harness.proxies.az_nas:_trainability")
def az_trainability(probe: Probe) -> Tensor:
    r"""AZ-NAS's trainability: how closely each block preserves the size of a gradient.

    :math:`\operatorname{mean}_l ( 2 - \sigma_l - 1 / (\sigma_l + 10^{-6}) )`, where :math:`\sigma_l` is the largest
    singular value of the mean over images and positions of :math:`g_{l-1} g_l^\top`: :math:`g_l` are random signs at
    the block's output and :math:`g_{l-1}` is the gradient that reaches its input. If a block halves the resolution, the
    pixels that are merged into one are stacked as channels. A block that passes the signs unchanged counts −∞, as in
    the official code, so all networks with such a cell are tied. A block that passes no gradient counts about −10⁶.

    Raises:
        NotApplicableError: if the network does not offer ``forward_blocks``, or a block's resolution is not a multiple
            of the next block's.
    """
    terms = []
    for before, after in pairwise(_block_features(probe)):
        signs = torch.empty_like(after).copy_(torch.randint(2, after.shape) * 2.0 - 1)
        # Features that depend on nothing, such as the zeros of an unconnected cell, have no gradient.
        (passed,) = gradients((after * signs).sum(), [before]) if before.requires_grad else [torch.zeros_like(before)]
        terms.append(_keeping(passed, signs))
    return torch.stack(terms).mean()


def _keeping(passed: Tensor, signs: Tensor) -> Tensor:
    """2 − σ − 1 / (σ + 1e-6) of one block, float64; −∞ for the identity."""
    if passed.shape == signs.shape and torch.equal(passed, signs):
        return torch.full((), -torch.inf, dtype=torch.float64, device=signs.device)
    stride = passed.shape[2] // max(signs.shape[2], 1)
    if stride < 1 or passed.shape[2:] != (stride * signs.shape[2], stride * signs.shape[3]):
        raise NotApplicableError(f"a block maps {tuple(passed.shape[2:])} to {tuple(signs.shape[2:])} pixels")
    passed = F.pixel_unshuffle(passed, stride)
    return agreement_of_gradients(_rows(passed), _rows(signs))
