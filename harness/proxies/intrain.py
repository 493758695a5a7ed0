r"""InTrain: how many directions the features of each layer use, times how even the gradients are.

A copy of the network with its own weights, in training mode and float64, sees 64 images of standard normal noise with
random labels. The paper's images are 64 × 64; here they have the shape of the run's images. There is no official code,
and the paper was read in excerpts. What these leave open is decided here: the features of a layer are the outputs of
each call of a convolution or linear layer, with images and positions as the observations, and L is the number of these
calls; a layer whose outputs do not vary counts as one direction; parameter tensors that no gradient reaches add
nothing, nor do those whose gradient is zero but for rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.contracts.proxy import proxy
from harness.networks.kinds import channel_axis
from harness.probe import NotApplicableError, quantity
from harness.probe.forward import recorded_pass
from harness.probe.passes import gradients
from harness.probe.usage import Part
from harness.proxies._drawn import NOISE_IMAGES, gaussian_images
from harness.proxies._spectra import covariance

if TYPE_CHECKING:
    from harness.probe import Probe

IN_DENOMINATOR = 1e-8


class _Factors(NamedTuple):
    """Γ, the sum of the logarithms of the layers' participation ratios, o, and the number of layers."""

    geometry: Tensor
    resilience: Tensor
    layers: int


def participation_ratio(rows: Tensor) -> Tensor:
    r"""How many directions the rows spread over: :math:`(\operatorname{tr} C)^2 / \operatorname{tr} C^2`, float64.

    Between 1, for one direction or none, and the number of columns, for equal variances in all.

    Args:
        rows: shape (observations, channels).

    >>> rows = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> participation_ratio(rows).item(), participation_ratio(torch.ones(4, 2)).item()
    (2.0, 1.0)
    """
    between = covariance(rows)
    squares = between.square().sum()
    return between.trace().square() / squares if squares > 0 else torch.ones_like(squares)


def evenness(gradient: Tensor) -> Tensor:
    r"""The standard deviation of a gradient over its largest magnitude, at most 1; 0 for no gradient, float64.

    >>> evenness(torch.tensor([1.0, -1.0, 1.0, -1.0])).item() > 0.99, evenness(torch.zeros(3)).item()
    (True, 0.0)
    """
    entries = gradient.double()
    return (entries.std(correction=0) / (entries.abs().max() + IN_DENOMINATOR)).clamp_max(1)


@quantity("harness.proxies.intrain:_factors")
def _factors(probe: Probe) -> _Factors:
    # In float32, a gradient that is 0 but for rounding, as of a bias before a norm, would be as even as any other.
    network = probe.copy().double()
    images = gaussian_images(probe, NOISE_IMAGES).double()
    passed = recorded_pass(network, images, lambda: probe.seeing(network, Part.LAYERS))
    if not passed.layer_outputs:
        raise NotApplicableError("the network has no convolutions or linear layers")
    if passed.outputs.dim() != 2:
        raise NotApplicableError("needs image classes: logits, (images, classes), for a loss with random labels")
    labels = torch.randint(passed.outputs.shape[1], (len(images),)).to(passed.outputs.device)
    ratios = [
        participation_ratio(output.detach().movedim(channel_axis(layer, output), -1).flatten(0, -2))
        for layer, output in passed.layer_outputs
    ]
    loss = F.cross_entropy(passed.outputs, labels)
    even = [evenness(gradient) for gradient in gradients(loss, list(network.parameters()))]
    return _Factors(torch.stack(ratios).log().sum(), torch.stack(even).sum(), len(ratios))


@proxy(
    "intrain",
    label="InTrain",
    better="higher",
    data="noise",
    cite="zhou2026intrain",
    axes=("expressivity", "trainability"),
    source="the formula of the paper; there is no code",
    batches=1,
)
def intrain(probe: Probe) -> Tensor:
    r"""InTrain: geometric capacity times optimisation resilience, per logarithm of the depth.

    :math:`\Gamma (1 + o) / \log (L + 1)` with :math:`\Gamma = \sum_l \log \frac{(\operatorname{tr} C_l)^2}
    {\operatorname{tr} C_l^2}`, where :math:`C_l` is the covariance between the channels of layer l, and
    :math:`o = \sum_i \min(1, \operatorname{std}(g_i) / (\max |g_i| + \epsilon))` over the parameter tensors i with
    gradient :math:`g_i`. o is a sum over tensors, so it grows with their number: compare with ``parameter_tensors``.

    Raises:
        NotApplicableError: if the network does not return logits, or multiplies by weights without calling a layer.
    """
    factors = _factors(probe)
    return factors.geometry * (1 + factors.resilience) / math.log(factors.layers + 1)


@proxy(
    "intrain_geometry",
    label="InTrain (geometry)",
    better="higher",
    data="noise",
    cite="zhou2026intrain",
    axes=("expressivity",),
    source="the formula of the paper; there is no code",
    batches=1,
    variant_of="intrain",
)
def intrain_geometry(probe: Probe) -> Tensor:
    r"""The first factor of InTrain, Γ: the sum of the logarithms of the layers' participation ratios.

    Raises:
        NotApplicableError: as for ``intrain``.
    """
    return _factors(probe).geometry


@proxy(
    "intrain_resilience",
    label="InTrain (resilience)",
    better="higher",
    data="noise",
    cite="zhou2026intrain",
    axes=("trainability",),
    source="the formula of the paper; there is no code",
    batches=1,
    variant_of="intrain",
)
def intrain_resilience(probe: Probe) -> Tensor:
    r"""The second factor of InTrain, o: how even the gradient of each parameter tensor is, summed over tensors.

    Raises:
        NotApplicableError: as for ``intrain``.
    """
    return _factors(probe).resilience
