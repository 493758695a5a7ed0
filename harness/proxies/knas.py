r"""KNAS: the mean of the Gram matrix of the images' gradients.

:math:`g_i` is the gradient of image i's loss, each image passing alone in training mode (the official code has
mini-batches of one image). The mean over all pairs, :math:`\frac{1}{n^2} \sum_{ij} \langle g_i, g_j \rangle`, is
:math:`\lVert \bar g \rVert^2`, the squared norm of the mean gradient.

The code as it runs does something else: it multiplies the deviations of 25 images' gradients from their mean with those
of 25 other images, in the order of the images. Averaged over that order it is exactly zero for every network, so it is
not offered; the mean of the Gram matrix, of which the paper speaks, stands beside it in a comment.

The official code was read for this; of the paper only its abstract and what others tell of it (its score, MGM, is the
mean of the Gram matrix of gradients), not its equation.
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
"""How many entries of a tensor of parameters count; tensors with fewer are left out."""

TENSORS = 11
"""How many tensors the official code takes."""


@proxy(
    "knas",
    label="KNAS",
    better="higher",
    data="labels",
    cite="xu2021knas",
    source="the paper's mean of the Gram matrix, with the gradients of exps/NAS-Bench-201/functions.py",
)
def knas(probe: Probe) -> Tensor:
    r"""Mean of the Gram matrix of the images' gradients, averaged over layers.

    :math:`\frac{1}{Q} \sum_q \frac{50}{P_q} \lVert \bar g^{(q)} \rVert^2` over the Q tensors of parameters with
    :math:`P_q \ge 50` entries that the loss depends on: the expectation over 50 entries drawn from each, so that every
    tensor counts alike. All images of the mini-batch count (the official code takes 50).

    Raises:
        NotApplicableError: if there is no such tensor, or batch norm gets a single value of an image's channel.
    """
    means = _mean_gradients(probe)
    return sum_of(mean.square().mean() * ENTRIES for mean in means) / len(means)


@proxy(
    "knas_first",
    label="KNAS (first layers)",
    better="higher",
    data="labels",
    cite="xu2021knas",
    source="exps/NAS-Bench-201/functions.py, its entries with the mean that stands in its comment",
    variant_of="knas",
)
def knas_first(probe: Probe) -> Tensor:
    r"""KNAS on the first 50 entries of the first eleven tensors of parameters.

    :math:`\sum_{q \le 11} \sum_{k \le 50} (\bar g^{(q)}_k)^2`, the entries that the official code looks at; in
    NAS-Bench-201 those of the stem and the first cells. Which entries and that tensors add up is as in the official
    code that runs; its commented mean takes up to 100 entries and keeps the last tensor's value alone. Otherwise as
    ``knas``.

    Raises:
        NotApplicableError: if there is no such tensor, or batch norm gets a single value of an image's channel.
    """
    return sum_of(mean.flatten()[:ENTRIES].square().sum() for mean in _mean_gradients(probe)[:TENSORS])


@quantity("harness.proxies.knas:_mean_gradients")
def _mean_gradients(probe: Probe) -> list[Tensor]:
    """The mean over images of the gradient of each tensor of enough parameters that the loss depends on."""
    images = probe.batch().images
    network = with_statistics_of_each_image(probe.network, len(images))
    parameters = [p for p in network.parameters() if p.requires_grad and p.numel() >= ENTRIES]
    sums = sum_over_images(network, images, losses_of_images(probe), parameters, [Part.BATCH_NORMS])
    means = [total / len(images) for total in sums if total is not None]
    if not means:
        raise NotApplicableError(f"the loss depends on no tensor of at least {ENTRIES} parameters")
    return means
