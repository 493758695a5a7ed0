r"""The condition number of the neural tangent kernel at initialisation.

Row i of J is the gradient of :math:`\sum_k z_{ik}`, the sum of image i's outputs, with respect to all parameters whose
name contains "weight": convolutions, linear layers and batch-norm scales, but not biases. The kernel is :math:`\Theta =
J J^\top`, (images, images).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.per_sample import rows_by_backward, rows_of_images

if TYPE_CHECKING:
    from torch import Tensor, nn

    from harness.probe import Probe

COLUMNS = 2**20
"""Columns of J that are converted to float64 at a time."""


@proxy(
    "ntk",
    label="NTK",
    better="lower",
    data="images",
    cite="chen2021tenas",
    axes=("generalisation", "trainability"),
    source="lib/procedures/ntk.py, training mode",
    aliases=("ntk_cond", "ntk_condition_number"),
)
def ntk(probe: Probe) -> Tensor:
    r"""Condition number of the neural tangent kernel, in training mode.

    :math:`\kappa = \lambda_{\max}(\Theta) / \lambda_{\min}(\Theta)`. As in TE-NAS's code, all images pass together, so
    batch norm couples them: row i contains the whole mini-batch's influence on image i's outputs and takes its own
    backward pass. The kernel and its eigenvalues are float64. ∞ if the kernel is singular to working precision
    (:math:`\lambda_{\min} \le n \epsilon \lambda_{\max}`; the official code returns a quotient of rounding errors
    there, often negative, which then ranks best). NaN if the kernel is zero or not finite (100,000 in the official
    code). TE-NAS uses its own small supernet (3 channels, one cell per stage, Kaiming weights) with 72 images and
    averages three draws; this proxy uses the benchmark's network, its initialisation and the run's mini-batch. It was
    compared with the official code on the same weights and images, in both modes.
    """
    return _condition_number(_training_kernel(probe))


@proxy(
    "ntk_eval",
    label="NTK (eval)",
    better="lower",
    data="images",
    cite="chen2021tenas",
    axes=("generalisation", "trainability"),
    source="lib/procedures/ntk.py with train_mode=False",
    variant_of="ntk",
)
def ntk_eval(probe: Probe) -> Tensor:
    """Condition number of the neural tangent kernel, in evaluation mode.

    Batch norm uses its running statistics, which at initialisation change nothing (mean 0, variance 1). So images do
    not influence each other, and one backward pass gives all rows. Otherwise as ``ntk``.
    """
    return _condition_number(_evaluation_kernel(probe))


@quantity("harness.proxies.ntk:_training_kernel")
def _training_kernel(probe: Probe) -> Tensor:
    outputs = probe.forward(0).outputs.flatten(1).sum(dim=1)
    return _kernel(rows_by_backward(lambda index: outputs[index], len(outputs), _weights(probe.network)), outputs)


@quantity("harness.proxies.ntk:_evaluation_kernel")
def _evaluation_kernel(probe: Probe) -> Tensor:
    network, images = probe.copy().eval(), probe.batch().images
    rows = rows_of_images(network, images, lambda outputs, _: outputs.sum(), _weights(network))
    return _kernel(rows, images)


def _weights(network: nn.Module) -> list[Tensor]:
    """The parameters whose name contains "weight", each distinct tensor once."""
    # A tensor that several modules share has several names; all are checked.
    named = network.named_parameters(remove_duplicate=False)
    weights: list[Tensor] = list(dict.fromkeys(p for name, p in named if "weight" in name and p.requires_grad))
    if not weights:
        raise NotApplicableError("the network has no parameter whose name contains 'weight'")
    return weights


def _kernel(rows: Iterable[Tensor], like: Tensor) -> Tensor:
    """J Jᵀ in float64, from J's columns, one parameter at a time."""
    kernel = torch.zeros(len(like), len(like), dtype=torch.float64, device=like.device)
    for part in rows:
        for start in range(0, part.shape[1], COLUMNS):
            wide = part[:, start : start + COLUMNS].double()
            kernel.addmm_(wide, wide.T)
    return kernel


def _condition_number(kernel: Tensor) -> Tensor:
    if not kernel.isfinite().all():
        return kernel.new_tensor(torch.nan)
    eigenvalues: Tensor = torch.linalg.eigvalsh(kernel)
    least, greatest = eigenvalues[0], eigenvalues[-1]
    if greatest <= 0:
        return kernel.new_tensor(torch.nan)
    singular = least <= len(kernel) * torch.finfo(kernel.dtype).eps * greatest
    return kernel.new_tensor(torch.inf) if singular else greatest / least
