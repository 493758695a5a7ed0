r"""VKDNW: how evenly a network's weights can be estimated, from the spectrum of their Fisher information.

A copy of the network with Kaiming-normal weights (fan-in) sees 64 images of standard normal noise in evaluation mode,
so batch norm uses the running statistics of an untrained network. θ contains the first entry of each parameter tensor,
for the first 128 tensors in the network's order (including biases and batch-norm tensors). With :math:`J_n = \partial z
/ \partial \theta` of image n's logits and :math:`\Sigma_n = \operatorname{diag}(p_n) - p_n p_n^\top`, where :math:`p_n`
are the softmax probabilities mixed with 5 % of the uniform distribution, the Fisher information is :math:`F =
\operatorname{mean}_n J_n^\top \Sigma_n J_n`.

The paper's rank aggregate depends on which networks are ranked together, so it is an aggregate (``vkdnw_agg``), not a
proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.per_sample import micro_batches
from harness.proxies._drawn import NOISE_IMAGES, gaussian_images, kaiming_copy
from harness.proxies._entry_jacobian import entry_jacobian

if TYPE_CHECKING:
    from harness.probe import Probe

TENSORS = 128
UNIFORM = 0.05
TINY = 1e-10


@quantity("harness.proxies.vkdnw:_logits_and_jacobian")
def _logits_and_jacobian(probe: Probe) -> tuple[Tensor, Tensor]:
    """Logits (images, classes) and their derivatives (images, classes, weights), float64."""
    if not probe.objective.has_classes:
        raise NotApplicableError(f"needs class probabilities; this task has none (loss: {probe.objective.words})")
    network = kaiming_copy(probe).eval()
    images = gaussian_images(probe, NOISE_IMAGES)
    # Images do not influence each other, so they pass in micro-batches of one size, which bounds memory.
    parts = [entry_jacobian(network, images[at], TENSORS) for at in micro_batches(len(images))]
    logits, jacobian = (torch.cat(part).double() for part in zip(*parts, strict=True))
    return logits, jacobian


def _covariance_root(p: Tensor) -> Tensor:
    r"""L with :math:`L L^\top = \operatorname{diag}(p) - p p^\top`, lower triangular: (images, classes, classes).

    With the tails :math:`q_j = 1 - p_1 - \dots - p_j`, :math:`L_{jj}^2 = p_j q_j / q_{j-1}` and
    :math:`L_{ij} = -L_{jj}\, p_i / q_j` for i > j (Tanabe & Sagae 1992); the last column is zero.
    """
    tails = p.flip(1).cumsum(1).flip(1)  # q_{j-1}, summed from the end, so that small tails keep their digits
    below = torch.cat([tails[:, 1:], torch.zeros_like(tails[:, :1])], dim=1)
    diagonal = (p * below / tails).sqrt()
    scale = torch.where(below > 0, diagonal / below, 0)
    return torch.diag_embed(diagonal) - (p[:, :, None] * scale[:, None, :]).tril(-1)


def _decile_entropy(information: Tensor) -> Tensor:
    """The entropy of the nine deciles of the eigenvalues, divided by their sum."""
    eigenvalues = torch.linalg.eigvalsh(information).abs()
    deciles = torch.quantile(eigenvalues, torch.arange(1, 10, dtype=torch.float64, device=eigenvalues.device) / 10)
    shares = deciles / (deciles.sum() + TINY)
    return -(shares * (shares + TINY).log()).sum()


@quantity("harness.proxies.vkdnw:_entropy")
def _entropy(probe: Probe, of_root: bool) -> Tensor:
    logits, jacobian = _logits_and_jacobian(probe)
    root = _covariance_root(logits.softmax(dim=1) * (1 - UNIFORM) + UNIFORM / logits.shape[1])
    factor = root if of_root else root.mT
    half = (factor @ jacobian).flatten(0, 1)
    return _decile_entropy(half.T @ half / len(logits))


@proxy(
    "vkdnw",
    label="VKDNW",
    better="higher",
    data="noise",
    cite="tybl2025vkdnw",
    axes=("trainability",),
    source="NB201/ZeroShotProxy/compute_vkdnw_score.py, sum of its two numbers",
    batches=1,
)
def vkdnw(probe: Probe) -> Tensor:
    r"""Number of parameter tensors plus the entropy of the Fisher spectrum.

    :math:`n + H` (called VKDNW_single) with n the number of parameter tensors and H the score of ``vkdnw_entropy``. H
    lies between 0 and log 9 = 2.2 and n grows in steps of a layer, so the score ranks by the number of layers first,
    and H decides between networks with equally many layers.

    Raises:
        NotApplicableError: as for ``vkdnw_entropy``.
    """
    return _entropy(probe, of_root=True) + len(list(probe.network.parameters()))


@proxy(
    "vkdnw_entropy",
    label="VKDNW entropy",
    better="higher",
    data="noise",
    cite="tybl2025vkdnw",
    axes=("trainability",),
    source="NB201/ZeroShotProxy/compute_vkdnw_score.py, vkdnw_entropy",
    batches=1,
)
def vkdnw_entropy(probe: Probe) -> Tensor:
    r"""Entropy of the deciles of the Fisher spectrum: how similar the weights' uncertainties are.

    :math:`H = -\sum_{k=1}^9 d_k \log d_k` with d the deciles (10 % to 90 %) of the eigenvalues of the Fisher
    information, divided by their sum. As in the official code, the information is :math:`\operatorname{mean}_n J_n^\top
    L_n^\top L_n J_n` with the Cholesky factor :math:`L_n L_n^\top = \Sigma_n`, whose product should be taken the other
    way round to give :math:`\Sigma_n` (``vkdnw_entropy_fisher``). The official code stores the 5 % in half precision,
    so its probabilities do not sum to one, which moves scores by about 5e-4. It also computes the spectrum in float32,
    where the small deciles of an ill-conditioned spectrum are rounding errors. Here both are exact. Weights that do not
    reach the logits have eigenvalues of zero.

    This proxy was compared with the official functions on the same networks and images in float64: with their 5 % in
    full precision too, the entropies agree. Of the paper, only the abstract and summaries were read, so its own
    definition of the two parts and their sum was not checked.

    Raises:
        NotApplicableError: if the network does not classify images, multiplies by weights that belong to no layer, or
            one of the first 128 parameters belongs to a type of module whose derivatives are not implemented, or is
            used other than by calling its module.
    """
    return _entropy(probe, of_root=True)


@proxy(
    "vkdnw_entropy_fisher",
    label="VKDNW entropy (Fisher)",
    better="higher",
    data="noise",
    cite="tybl2025vkdnw",
    axes=("trainability",),
    source="the Fisher information of a softmax classifier, in place of the official code's product",
    batches=1,
    variant_of="vkdnw_entropy",
)
def vkdnw_entropy_fisher(probe: Probe) -> Tensor:
    r"""VKDNW's entropy with the exact Fisher information of a softmax classifier.

    The information is :math:`\operatorname{mean}_n J_n^\top \Sigma_n J_n`, which for a softmax classifier is
    :math:`\operatorname{mean}_n \sum_c p_{nc} \nabla \log p_{nc} \nabla \log p_{nc}^\top` except for the 5 % mixed into
    p. No official code computes it. The paper's text was not read, so which of the two it defines is not known.
    Otherwise as ``vkdnw_entropy``.

    Raises:
        NotApplicableError: as for ``vkdnw_entropy``.
    """
    return _entropy(probe, of_root=False)
