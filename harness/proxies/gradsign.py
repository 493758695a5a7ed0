r"""GradSign: how well the gradients of single images agree in sign.

:math:`g_k(x_i)` is the gradient of image i's loss with respect to weight k of a convolution or linear layer. Each image
passes alone in training mode, so batch norm normalises by that image's own statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness.contracts.proxy import proxy
from harness.probe import quantity
from harness.probe.passes import prunable_layers
from harness.probe.per_sample import losses_of_images, rows_of_images, with_statistics_of_each_image
from harness.probe.usage import Part

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe


@proxy(
    "gradsign",
    label="GradSign",
    better="higher",
    data="labels",
    cite="zhang2022gradsign",
    axes=("generalisation", "trainability"),
    source="zero-cost-nas-code/foresight/pruners/measures/grad_conflict.py",
    version=2,
)
def gradsign(probe: Probe) -> Tensor:
    r"""Agreement in sign of the images' gradients, summed over weights.

    :math:`\sum_k | \sum_i \operatorname{sign} g_k(x_i) |`, at most the number of images times the number of weights, so
    it grows with size; ``gradsign_mean`` does not. Weights whose gradient is NaN for some image are left out. The
    official code passes images one by one; here they pass together through a copy whose batch norms normalise each
    image by itself, which is equivalent. In float32, rounding decides the sign of gradients that nearly vanish. This
    proxy was compared with the official code on the same weights and images, as was ``gradsign_mean``.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel of an image, or the network holds weights or
            batch norms that are not registered modules.
    """
    return _agreement(probe)[0]


@proxy(
    "gradsign_mean",
    label="GradSign (mean)",
    better="higher",
    data="labels",
    cite="zhang2022gradsign",
    axes=("generalisation", "trainability"),
    source="zero-cost-nas-code/gradsign.py",
    version=2,
    variant_of="gradsign",
)
def gradsign_mean(probe: Probe) -> Tensor:
    """Agreement in sign of the images' gradients, averaged over weights.

    The official repository has both: the sum in its code for Spearman's ρ and in ``naswot-code/gradsign.py``, the mean
    in ``zero-cost-nas-code/gradsign.py``. The sum grows with the number of weights, the mean does not. Otherwise as
    ``gradsign``.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel of an image.
    """
    total, weights = _agreement(probe)
    return total / weights


@quantity("harness.proxies.gradsign:_agreement")
def _agreement(probe: Probe) -> tuple[Tensor, int]:
    """Σ_k |Σ_i sign g_k(x_i)|, float64, and the number of weights in the sum."""
    images = probe.batch().images
    network = with_statistics_of_each_image(probe.network, len(images))
    total, weights = torch.zeros((), dtype=torch.float64, device=images.device), 0
    parameters = [layer.weight for layer in prunable_layers(network)]
    parts = (Part.WEIGHTS, Part.BATCH_NORMS)
    for rows in rows_of_images(network, images, losses_of_images(probe), parameters, parts):
        # Checking for any NaN is far cheaper than finding which entries are NaN.
        defined = rows[:, ~rows.isnan().any(dim=0)] if rows.sum().isnan() else rows
        total += defined.sign().sum(dim=0).abs().sum(dtype=torch.float64)
        weights += defined.shape[1]
    return total, weights
