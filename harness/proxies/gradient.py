r"""Proxies based on the loss gradient, from pruning at initialisation.

L is the cross entropy of one mini-batch, :math:`W_l` the weights of convolution or linear layer l (without biases and
batch norm), and :math:`g_l = \partial L / \partial W_l`. Definitions follow the code of Abdelfattah et al. 2021, which
produced the published tables: training mode, default initialisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from harness.contracts.proxy import proxy
from harness.networks.initialisation import gaussian_weights
from harness.networks.kinds import CONVOLUTIONS, fan_in_of
from harness.probe import quantity
from harness.probe.passes import gradients
from harness.probe.usage import Part
from harness.proxies._sums import sum_of
from harness.seeds import derive_seed

if TYPE_CHECKING:
    from torch import Tensor

    from harness.networks.kinds import Layer
    from harness.probe import Probe


@proxy(
    "grad_norm",
    label="Grad norm",
    better="higher",
    data="labels",
    cite="abdelfattah2021zero",
    axes=("trainability",),
    source="foresight/pruners/measures/grad_norm.py",
    aliases=("gradient_norm",),
)
def grad_norm(probe: Probe) -> Tensor:
    r"""Sum over layers of the norm of the loss gradient.

    :math:`\sum_l \lVert g_l \rVert_2`.
    """
    return sum_of(gradient.norm() for gradient in probe.loss_gradients())


@proxy(
    "grad_norm_all",
    label="Grad norm (all)",
    better="higher",
    data="noise",
    cite="lin2021zen",
    axes=("trainability",),
    source="ZeroShotProxy/compute_gradnorm_score.py of ZenNAS",
    batches=1,
    variant_of="grad_norm",
)
def grad_norm_all(probe: Probe) -> Tensor:
    r"""Norm of the loss gradient over all parameters, with Gaussian weights, noise images and random labels.

    :math:`( \sum_\theta \lVert \partial L / \partial \theta \rVert_2^2 )^{1/2}` over every parameter θ, biases and
    batch norms included, each distinct tensor once. This is the gradient norm that ZenNAS compares itself to: weights
    and images from N(0, 1), biases 0, uniformly random targets. Tasks other than classification get random targets of
    their own kind.
    """
    squares = sum_of(gradient.double().square().sum() for gradient in _gradients_on_noise(probe))
    return squares.sqrt()


@quantity("harness.proxies.gradient:_gradients_on_noise")
def _gradients_on_noise(probe: Probe) -> list[Tensor]:
    """∂L/∂θ of every parameter of a copy with Gaussian weights, for Gaussian images with random targets."""
    seed = derive_seed("gradients on noise", probe.seed)
    generator = torch.Generator().manual_seed(seed)
    network = gaussian_weights(probe.copy(), generator)
    like = probe.batch().images
    pixels = torch.randn(like.shape, generator=generator)
    with probe.seeing(network, Part.WEIGHTS):
        outputs = network(pixels.to(like))
    drawn = probe.objective.random_targets(pixels.numpy(), outputs.shape[1], np.random.default_rng(seed))
    targets = torch.from_numpy(drawn).to(like.device)
    if targets.is_floating_point():
        targets = targets.to(like.dtype)
    return gradients(probe.objective.loss(outputs, targets), list(network.parameters()))


@proxy(
    "plain",
    label="Plain",
    better="higher",
    data="labels",
    cite="abdelfattah2021zero",
    axes=("trainability",),
    source="foresight/pruners/measures/plain.py",
)
def plain(probe: Probe) -> Tensor:
    r"""Sum of weights times gradients, sign kept.

    :math:`\sum_l \langle W_l, g_l \rangle`. A layer followed by batch norm in training mode is invariant to the scale
    of its weights, so its term vanishes up to the batch norm's ε. What remains comes from the classifier and from
    convolutions without batch norm.
    """
    pairs = zip(probe.weights, probe.loss_gradients(), strict=True)
    return sum_of((weight.detach() * g).sum() for weight, g in pairs)


@proxy(
    "snip",
    label="SNIP",
    better="higher",
    data="labels",
    cite="lee2019snip",
    axes=("trainability",),
    source="foresight/pruners/measures/snip.py",
)
def snip(probe: Probe) -> Tensor:
    r"""Connection sensitivity: sum of the magnitudes of weights times gradients.

    :math:`\sum_l \lVert W_l \odot g_l \rVert_1`.
    """
    pairs = zip(probe.weights, probe.loss_gradients(), strict=True)
    return sum_of((weight.detach() * g).abs().sum() for weight, g in pairs)


@proxy(
    "grasp",
    label="GraSP",
    better="higher",
    data="labels",
    cite="wang2020grasp",
    axes=("trainability",),
    source="foresight/pruners/measures/grasp.py, sign kept",
    version=2,
    anticipates=("curvature_along_weights",),
)
def grasp(probe: Probe) -> Tensor:
    r"""Gradient signal preservation: minus the inner product of weights and Hessian-gradient product.

    :math:`-\sum_l \langle W_l, (H g)_l \rangle`, where H is the Hessian of the loss with respect to all weights. The
    official code adds the minus sign because the score without it correlated negatively; the direction is kept as
    published. Temperature 1, one mini-batch.
    """
    return -probe.curvature_along_weights()


@quantity("harness.proxies.gradient:_fisher_of_channels")
def _fisher_of_channels(probe: Probe) -> list[tuple[Layer, Tensor]]:
    """Σ over channels of ½ · mean over images of (Σ over positions of output · gradient)², for each call of a layer."""
    saliency = []
    calls = zip(probe.forward().layer_outputs, probe.layer_output_gradients(), strict=True)
    for (layer, output), gradient in calls:
        product = output.detach() * gradient
        # Positions come after the channels of a convolution, and before the features of a linear layer.
        first = 2 if isinstance(layer, CONVOLUTIONS) else 1
        positions = tuple(range(first, first + product.dim() - 2))
        of_image = product.sum(dim=positions) if positions else product
        saliency.append((layer, of_image.square().mean(dim=0).sum() / 2))
    return saliency


@proxy(
    "fisher",
    label="Fisher",
    better="higher",
    data="labels",
    cite="turner2020blockswap",
    axes=("trainability",),
    source="foresight/pruners/measures/fisher.py",
    anticipates=("layer_output_gradients",),
)
def fisher(probe: Probe) -> Tensor:
    r"""Fisher information of the channels, weighted by fan-in.

    :math:`\sum_l f_l \sum_c \tfrac12 \operatorname{mean}_n ( \sum_{hw} a_{nchw}\, \partial L / \partial a_{nchw} )^2`
    with a the output of layer l. The official code spreads a channel's value over all weights of the channel before it
    sums, which weights it by the fan-in :math:`f_l`; ``fisher_channel`` omits that weight.
    """
    return sum_of(channels * fan_in_of(layer) for layer, channels in _fisher_of_channels(probe))


@proxy(
    "fisher_channel",
    label="Fisher (channel)",
    better="higher",
    data="labels",
    cite="turner2020blockswap",
    axes=("trainability",),
    source="foresight/pruners/measures/fisher.py, without spreading over weights",
    anticipates=("layer_output_gradients",),
    variant_of="fisher",
)
def fisher_channel(probe: Probe) -> Tensor:
    """Fisher information of the channels, each channel counted once.

    Otherwise as ``fisher``.
    """
    return sum_of(channels for _, channels in _fisher_of_channels(probe))
