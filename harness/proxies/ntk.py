r"""The condition number of the neural tangent kernel at initialisation.

Row i of J is the gradient of :math:`\sum_k z_{ik}`, the sum of image i's outputs, with respect to all parameters
whose name holds the word weight: convolutions, linear layers and the scales of batch norm, but no bias. The kernel is
:math:`\Theta = J J^\top`, (images, images).
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
"""Columns of J that are widened to float64 at one time."""


@proxy(
    "ntk",
    label="NTK",
    better="lower",
    data="images",
    cite="chen2021tenas",
    source="lib/procedures/ntk.py, training mode",
    aliases=("ntk_cond", "ntk_condition_number"),
)
def ntk(probe: Probe) -> Tensor:
    r"""Condition number of the neural tangent kernel, in training mode.

    :math:`\kappa = \lambda_{\max}(\Theta) / \lambda_{\min}(\Theta)`. As in TE-NAS's code all images pass together, so
    batch norm couples them: row i holds the whole mini-batch's part in image i's outputs, and takes a backward pass of
    its own. The kernel and its eigenvalues are float64. ∞ where the kernel is singular to working precision
    (:math:`\lambda_{\min} \le n \epsilon \lambda_{\max}`; the official code gives the quotient of rounding errors,
    often negative, which then ranks best), NaN where it is zero or not finite (the official code puts 100,000). TE-NAS
    computes it on its own small supernet (3 channels, one cell a stage, Kaiming weights) with 72 images and averages
    three draws; here the benchmark's own network, initialisation and mini-batch are used.
    """
    return _condition_number(_training_kernel(probe))


@proxy(
    "ntk_eval",
    label="NTK (eval)",
    better="lower",
    data="images",
    cite="chen2021tenas",
    source="lib/procedures/ntk.py with train_mode=False",
    variant_of="ntk",
)
def ntk_eval(probe: Probe) -> Tensor:
    """Condition number of the neural tangent kernel, in evaluation mode.

    Batch norm takes its running statistics, which at initialisation leave everything as it is (mean 0, variance 1), so
    that images do not influence one another and one backward pass gives all rows. Otherwise as ``ntk``.
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
    """The parameters whose name holds the word weight, each distinct tensor once.

    Raises:
        NotApplicableError: if there are none.
    """
    # By all of its names, as a tensor that several modules share has several.
    named = network.named_parameters(remove_duplicate=False)
    weights: list[Tensor] = list(dict.fromkeys(p for name, p in named if "weight" in name and p.requires_grad))
    if not weights:
        raise NotApplicableError("the network has no parameter whose name holds 'weight'")
    return weights


def _kernel(rows: Iterable[Tensor], like: Tensor) -> Tensor:
    """J Jᵀ in float64, from J's columns a parameter at a time."""
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
