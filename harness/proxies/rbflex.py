"""RBFleX-NAS: how far apart three images are in what the ReLUs make of them and in what the last layer gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part
from harness.proxies._drawn import typical_images
from harness.proxies._features import pass_alone

if TYPE_CHECKING:
    from harness.probe import Probe

IMAGES = 3
GAMMA_ACTIVATIONS = 2.68690173088039e-12
GAMMA_LAST = 1.02460061284506e-11


@proxy(
    "rbflex",
    label="RBFleX",
    better="higher",
    data="images",
    cite="yamasaki2025rbflex",
    source="RBFleX_NAS-Bench-201.py, with its fixed γ",
)
def rbflex(probe: Probe) -> Tensor:
    r"""Radial basis function kernels of three images' activations and of the last layer's inputs: log-determinants.

    :math:`3\, (\log |\det K| + \log |\det Q|)` with :math:`K_{ij} = \exp( -\gamma_K \lVert k_i - k_j \rVert^2 )` and Q
    alike. :math:`k_i` holds all that leaves modules whose class is named for a ReLU (blocks such as ReLUConvBN count,
    beside the ReLU that they hold), :math:`q_i` what enters the last module of the network at its last call, each entry
    scaled to [0, 1] over the images; entries equal for all images add nothing. Each image passes alone in training
    mode, so batch norm takes its statistics from it. The official code takes the first three training images; here they
    are the mini-batch's at evenly spaced ranks of their norm, so that the order of the images does not matter. −∞ where
    two images look the same.

    γ = 2.7e-12 and 1.0e-11 are the official constants. The official code detects such values (HDA.py) from the
    activations of ten networks of NATS-Bench's size space on CIFAR-10, as the least squared difference of two images'
    mean activations over twice the sum of their variances; it looks at no accuracies. So small a γ makes each kernel
    1 − γ d² for squared distances d²: both γ add a constant, 12 log γ in all, and the ranking does not depend on them.
    Differences from 1 are kept exact here, where the official code has what float64 leaves of them.

    Checked against the official code's formulas on the same networks; the paper's text beyond its abstract was not.

    Raises:
        NotApplicableError: if the network has no ReLU modules or applies ReLUs that are not, its last module is not
            called, the mini-batch has fewer than three images, or a batch norm meets a single value a channel.
    """
    return _rbflex(probe)


@quantity("harness.proxies.rbflex:_rbflex")
def _rbflex(probe: Probe) -> Tensor:
    images = typical_images(probe, IMAGES)
    if len(images) < IMAGES:
        raise NotApplicableError(f"needs {IMAGES} images, the mini-batch has {len(images)}")
    rows = [_responses(probe.network, image[None]) for image in images]
    activations = _log_determinant(_squared_distances(torch.stack([row[0] for row in rows])), GAMMA_ACTIVATIONS)
    last = _log_determinant(_squared_distances(torch.stack([row[1] for row in rows])), GAMMA_LAST)
    return IMAGES * (activations + last)


def _responses(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """All that leaves modules named for a ReLU, and all that enters the last module: two vectors, float64."""
    # Also where the module in the last place stands in an earlier one too.
    *_, (_, last) = network.named_modules(remove_duplicate=False)
    leaving: list[Tensor] = []
    entering: list[Tensor] = []

    def after_relu(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        leaving.append(output.detach().to(torch.float64, copy=True).flatten())

    def before_last(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        entering[:] = [inputs[0].detach().to(torch.float64, copy=True).flatten()]

    named = [module for module in network.modules() if "ReLU" in type(module).__name__]
    handles = [module.register_forward_hook(after_relu) for module in named]
    handles.append(last.register_forward_pre_hook(before_last))
    pass_alone(network, image, handles, *([Part.RELUS] if named else []))
    if not leaving:
        raise NotApplicableError("the network has no ReLU modules")
    if not entering:
        raise NotApplicableError("the network does not call its last module")
    return torch.cat(leaving), entering[0]


def _squared_distances(rows: Tensor) -> Tensor:
    """Between the rows once each column is scaled to [0, 1]: (images, entries) to (images, images)."""
    low, high = rows.amin(dim=0), rows.amax(dim=0)
    scaled = torch.where(high > low, (rows - low) / (high - low), 0)
    return (scaled[:, None] - scaled[None, :]).square().sum(dim=2)


def _log_determinant(squared_distances: Tensor, gamma: float) -> Tensor:
    r"""Log-determinant of exp(−γ d²), without the loss of digits that entries so near to 1 would cost.

    With :math:`E = 1 - \exp(-\gamma d^2)`, the first row and column taken from all others leave
    :math:`E_{i1} + E_{1j} - E_{ij} - E_{i1} E_{1j}`, which has the same determinant.
    """
    e = -torch.expm1(-gamma * squared_distances)
    column, row = e[1:, :1], e[:1, 1:]
    logarithm: Tensor = torch.linalg.slogdet(column + row - e[1:, 1:] - column * row).logabsdet
    return logarithm
