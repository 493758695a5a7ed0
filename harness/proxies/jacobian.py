r"""Proxies based on correlations of the input Jacobian.

Row i of the input Jacobian is :math:`\partial \sum_k z_k / \partial x_i`, the gradient of the sum of all outputs with
respect to image i, in training mode; :math:`\Sigma` holds the correlation coefficients between its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError

if TYPE_CHECKING:
    from harness.probe import Probe

EPSILON = 1e-5


@proxy(
    "jacob_cov",
    label="Jacob cov",
    better="higher",
    data="images",
    cite="mellor2020naswot",
    axes=("expressivity",),
    source="foresight/pruners/measures/jacob_cov.py",
    aliases=("jacov", "jacobian_covariance"),
)
def jacob_cov(probe: Probe) -> Tensor:
    r"""How differently the outputs respond to each image: spectrum of the input Jacobian's correlations.

    :math:`-\sum_i [\log(\lambda_i + k) + 1 / (\lambda_i + k)]`, where λ are the eigenvalues of Σ and k = 1e-5. Σ is
    symmetric, so the eigenvalues are computed as real numbers; the official code allows complex ones. NaN if the
    outputs do not depend on some image.
    """
    correlation = probe.jacobian_correlation()
    if not correlation.isfinite().all():
        return correlation.new_tensor(torch.nan)
    eigenvalues: Tensor = torch.linalg.eigvalsh(correlation) + EPSILON
    return -(eigenvalues.log() + 1 / eigenvalues).sum()


def _class_scores(probe: Probe, divide: bool) -> Tensor:
    """Σ log(|Σ_ij| + k) over the pairs of images of each class, in order of the classes' first appearance."""
    correlation = probe.jacobian_correlation()
    labels = probe.class_labels()
    scores = []
    for label in dict.fromkeys(labels.tolist()):
        members = labels == label
        block = correlation[members][:, members]
        score = (block.abs() + EPSILON).log().sum()
        if not divide:
            scores.append(score)
        elif len(block) > 1:
            scores.append(score / len(block))
    return torch.stack(scores) if scores else correlation.new_zeros(0)


@proxy(
    "epe_nas",
    label="EPE-NAS",
    better="higher",
    data="labels",
    cite="lopes2021epe",
    axes=("expressivity",),
    source="search.py of the official code, as it runs",
)
def epe_nas(probe: Probe) -> Tensor:
    r"""Correlations of the input Jacobian within classes.

    :math:`\sum_c | \sum_{ij} \log(|\Sigma^c_{ij}| + k) |` over the classes c of the mini-batch, k = 1e-5. The official
    code has a second formula for more than 100 classes, but never passes the number of classes, so it computes this one
    on every data set; ``epe_nas_classes`` implements the intended one.
    """
    return _class_scores(probe, divide=False).abs().sum()


@proxy(
    "epe_nas_classes",
    label="EPE-NAS (classes)",
    better="higher",
    data="labels",
    cite="lopes2021epe",
    axes=("expressivity",),
    source="search.py of the official code, including its branch for many classes",
    variant_of="epe_nas",
)
def epe_nas_classes(probe: Probe) -> Tensor:
    r"""EPE-NAS with its second formula for more than 100 classes.

    Up to 100 classes it equals ``epe_nas``. Beyond that, it is the mean over classes of :math:`\sum_{c'} |s_c -
    s_{c'}|`, where :math:`s_c` is the inner sum of ``epe_nas`` divided by the number of images of class c; classes with
    a single image are left out.

    Raises:
        NotApplicableError: if no class has two images.
    """
    if probe.forward().outputs.shape[1] <= 100:
        return _class_scores(probe, divide=False).abs().sum()
    scores = _class_scores(probe, divide=True)
    if not len(scores):
        raise NotApplicableError("no class has two images in the mini-batch; use a larger mini-batch (--batch-size)")
    return (scores[:, None] - scores[None, :]).abs().sum() / len(scores)
