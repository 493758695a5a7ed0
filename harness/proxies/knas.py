r"""KNAS: the mean of the Gram matrix of the images' gradients.

:math:`g_i` is the gradient of image i's loss; each image passes alone in training mode (the official code uses
mini-batches of one image). The mean over all pairs, :math:`\frac{1}{n^2} \sum_{ij} \langle g_i, g_j \rangle`, is
:math:`\lVert \bar g \rVert^2`, the squared norm of the mean gradient.

The official code computes something else: it multiplies the deviations of 25 images' gradients from their mean with
those of 25 other images, in the order of the images. Averaged over orders this is exactly zero for every network, so it
is not offered. The mean of the Gram matrix, which the paper describes, appears in the code as a comment.

Sources read: the official code, the paper's abstract, and descriptions by others (the score, MGM, is the mean of the
Gram matrix of gradients). The paper's equation was not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.per_sample import losses_of_images, sum_over_images, with_statistics_of_each_image
from harness.probe.usage import Part
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe

ENTRIES = 50
"""Entries counted per parameter tensor; smaller tensors are left out."""

TENSORS = 11
"""Number of parameter tensors in the official code."""


@proxy(
    "knas",
    label="KNAS",
    better="higher",
    data="labels",
    cite="xu2021knas",
    axes=("trainability",),
    source="the paper's mean of the Gram matrix, with the gradients of exps/NAS-Bench-201/functions.py",
    version=2,
)
def knas(probe: Probe) -> Tensor:
    r"""Mean of the Gram matrix of the images' gradients, averaged over layers.

    :math:`\frac{1}{Q} \sum_q \frac{50}{P_q} \lVert \bar g^{(q)} \rVert^2` over the Q parameter tensors with :math:`P_q
    \ge 50` entries that the loss depends on. This is the expectation over 50 random entries of each tensor, so every
    tensor has the same weight. All images of the mini-batch count (50 in the official code).

    Raises:
        NotApplicableError: if there is no such tensor, or a batch norm gets a single value per channel of an image.
    """
    means = _mean_gradients(probe)
    return sum_of(mean.square().mean() * ENTRIES for mean in means) / len(means)


@proxy(
    "knas_first",
    label="KNAS (first layers)",
    better="higher",
    data="labels",
    cite="xu2021knas",
    axes=("trainability",),
    source="exps/NAS-Bench-201/functions.py, its entries with the mean in its comment",
    version=2,
    variant_of="knas",
)
def knas_first(probe: Probe) -> Tensor:
    r"""KNAS on the first 50 entries of the first eleven parameter tensors.

    :math:`\sum_{q \le 11} \sum_{k \le 50} (\bar g^{(q)}_k)^2`, the entries that the official code uses; on
    NAS-Bench-201 they belong to the stem and the first cells. The choice of entries and the sum over tensors follow the
    code that the official script runs; the mean in its comment uses up to 100 entries and keeps only the last tensor's
    value. Otherwise as ``knas``.

    This proxy was compared with the official function on the same weights and images: given sums of gradients, that
    function computes the same product of the same entries. As published, it multiplies deviations of 25 images'
    gradients from their mean with those of 25 others. It keeps views of the gradients, so if these are set to zero in
    place, as by default before torch 2.0, only rounding errors are left.

    Raises:
        NotApplicableError: if there is no such tensor, or a batch norm gets a single value per channel of an image.
    """
    return sum_of(mean.flatten()[:ENTRIES].square().sum() for mean in _mean_gradients(probe)[:TENSORS])


@quantity("harness.proxies.knas:_mean_gradients")
def _mean_gradients(probe: Probe) -> list[Tensor]:
    """The mean over images of the gradient of each large enough parameter tensor that the loss depends on."""
    images = probe.batch().images
    network = with_statistics_of_each_image(probe.network, len(images))
    parameters = [p for p in network.parameters() if p.requires_grad and p.numel() >= ENTRIES]
    sums = sum_over_images(network, images, losses_of_images(probe), parameters, [Part.BATCH_NORMS])
    means = [total / len(images) for total in sums if total is not None]
    if not means:
        raise NotApplicableError(f"the loss depends on no tensor of at least {ENTRIES} parameters")
    return means
