"""Dextr: conditioning of the feature maps, and curvature of the outputs as the input moves along a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.networks.leaving import untouched
from harness.probe import quantity
from harness.probe.passes import gradients
from harness.proxies._drawn import typical_images
from harness.proxies._features import module_features, once_each

if TYPE_CHECKING:
    from harness.probe import Probe

COORDINATES = 10


@proxy(
    "dextr",
    label="Dextr",
    better="higher",
    data="images",
    cite="asthana2025dextr",
    axes=("expressivity", "generalisation", "trainability"),
    source="NASBench201/correlation/NAS_Bench_201.py and no_free_lunch_architectures/length.py",
)
def dextr(probe: Probe) -> Tensor:
    r"""Conditioning of the feature maps combined with the curvature of the outputs.

    :math:`s k / (s + k)` with :math:`s = \log(1 + \sum_m \sigma_{\min} / \sigma_{\max})` and :math:`k = \log(1 +
    \kappa)`. σ are the singular values of module m's feature map of one image, (channels, positions); the sum runs over
    every call of every module, including containers and the network itself (the ratio is 0 for zeros and 1 for a
    vector). κ is the extrinsic curvature :math:`\lVert v \rVert^{-3} \sqrt{ \lVert v \rVert^2 \lVert a \rVert^2 - (v
    \cdot a)^2 }` of ten outputs, drawn with replacement, at one point of a random unit circle of inputs, with v and a
    their first and second derivatives along the circle. Training mode, so batch norm takes its statistics from the
    single input. If κ is undefined the score is s, as in the official code. The official code uses the first training
    image and a circle in 3×64×64 pixels; here the image is the mini-batch's image of median norm, and the circle has
    the shape of the run's images.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, or a module returns a map with the channels
            last (tokens are no map; their singular values count).
    """
    conditioning = _conditioning(probe).log1p()
    curvature = _extrinsic_curvature(probe).log1p()
    together = conditioning * curvature / (conditioning + curvature)
    return together if together.isfinite() else conditioning


@quantity("harness.proxies.dextr:_conditioning")
def _conditioning(probe: Probe) -> Tensor:
    """The sum of the modules' inverse condition numbers."""
    called, _ = module_features(probe.network, typical_images(probe, 1), tokens=True)
    return once_each([features for _, features in called], _inverse_condition_numbers).sum()


def _inverse_condition_numbers(stacked: Tensor) -> Tensor:
    values = torch.linalg.svdvals(stacked)
    inverse: Tensor = values[:, -1] / values[:, 0]
    return inverse.nan_to_num(nan=0, posinf=0)


@quantity("harness.proxies.dextr:_extrinsic_curvature")
def _extrinsic_curvature(probe: Probe) -> Tensor:
    """κ at angle 0, float64; NaN if the outputs do not depend on the angle."""
    network, like = probe.copy().requires_grad_(False), probe.batch().images
    plane = torch.linalg.qr(torch.randn(like[0].numel(), 2)).Q.to(like)
    angle = torch.zeros((), dtype=like.dtype, device=like.device, requires_grad=True)
    point = plane @ torch.stack([angle.cos(), angle.sin()])
    with untouched(network), torch.enable_grad():
        outputs = network(point.reshape(1, *like.shape[1:])).flatten()
    drawn = torch.randint(len(outputs), (COORDINATES,)).tolist()
    derivatives = {coordinate: _derivatives(outputs[coordinate], angle) for coordinate in sorted(set(drawn))}
    v, a = torch.stack([derivatives[coordinate] for coordinate in drawn]).double().T
    area: Tensor = (v @ v) * (a @ a) - (v @ a) ** 2
    curvature: Tensor = area.clamp_min(0).sqrt() / (v @ v) ** 1.5
    return curvature


def _derivatives(output: Tensor, angle: Tensor) -> Tensor:
    """First and second derivatives of one output along the circle; zeros if it does not depend on the angle."""
    first = output.new_zeros(())
    if output.requires_grad:
        (first,) = torch.autograd.grad(
            output, angle, retain_graph=True, create_graph=True, allow_unused=True, materialize_grads=True
        )
    (second,) = gradients(first, [angle], retain_graph=True) if first.requires_grad else [torch.zeros_like(first)]
    return torch.stack([first.detach(), second])
