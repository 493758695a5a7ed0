"""RBFleX-NAS: distances between three images in the outputs of the ReLUs and in the inputs of the last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part
from harness.proxies._drawn import typical_images
from harness.proxies._features import pass_alone
from harness.proxies._sums import log_determinant

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
    axes=("expressivity",),
    source="RBFleX_NAS-Bench-201.py, with its fixed γ",
)
@quantity("harness.proxies.rbflex:_rbflex")
def rbflex(probe: Probe) -> Tensor:
    r"""Log-determinants of RBF kernels of three images: of the ReLU outputs, and of the last layer's inputs.

    :math:`3\, (\log |\det K| + \log |\det Q|)` with :math:`K_{ij} = \exp( -\gamma_K \lVert k_i - k_j \rVert^2 )` and Q
    likewise. :math:`k_i` contains all outputs of modules with ReLU in their class name (blocks such as ReLUConvBN count
    in addition to the ReLU that they contain); :math:`q_i` is the input of the network's last module at its last call.
    Each entry is scaled to [0, 1] over the images; entries equal for all images add nothing. Each image passes alone in
    training mode, so batch norm takes its statistics from it. The official code uses the first three training images;
    here they are the mini-batch's images at evenly spaced ranks of their norm, so the order of the images does not
    matter. −∞ if two images give the same vectors.

    γ = 2.7e-12 and 1.0e-11 are the official constants. The official code determines such values (HDA.py) from the
    activations of ten networks of NATS-Bench's size space on CIFAR-10, as the least squared difference of two images'
    mean activations over twice the sum of their variances; it does not use accuracies. With γ this small, each kernel
    is 1 − γ d² for squared distances d². The two γ then only add a constant, 12 log γ in all, and do not affect the
    ranking. Here differences from 1 are computed exactly; the official code rounds them to float64 near 1.

    This proxy was checked against the official code's formulas on the same networks; of the paper, only the abstract
    was read.

    Raises:
        NotApplicableError: if the network has no ReLU modules or applies ReLUs that are not modules, its last module is
            not called, the mini-batch has fewer than three images, or a batch norm gets a single value per channel.
    """
    images = typical_images(probe, IMAGES)
    if len(images) < IMAGES:
        raise NotApplicableError(f"needs {IMAGES} images, the mini-batch has {len(images)}")
    rows = [_responses(probe.network, image[None]) for image in images]
    activations = _log_determinant(_squared_distances(torch.stack([row[0] for row in rows])), GAMMA_ACTIVATIONS)
    last = _log_determinant(_squared_distances(torch.stack([row[1] for row in rows])), GAMMA_LAST)
    return IMAGES * (activations + last)


def _responses(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """All outputs of modules with ReLU in their class name, and the last module's input: two float64 vectors."""
    # The last name counts, even if the same module also has an earlier one.
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
    """Squared distances between rows after scaling each column to [0, 1]: (images, entries) to (images, images)."""
    low, high = rows.amin(dim=0), rows.amax(dim=0)
    scaled = torch.where(high > low, (rows - low) / (high - low), 0)
    return (scaled[:, None] - scaled[None, :]).square().sum(dim=2)


def _log_determinant(squared_distances: Tensor, gamma: float) -> Tensor:
    r"""Log-determinant of exp(−γ d²), without the cancellation that entries close to 1 would cause.

    With :math:`E = 1 - \exp(-\gamma d^2)`, subtracting the first row and column from all others leaves :math:`E_{i1} +
    E_{1j} - E_{ij} - E_{i1} E_{1j}`, which has the same determinant.
    """
    e = -torch.expm1(-gamma * squared_distances)
    column, row = e[1:, :1], e[:1, 1:]
    return log_determinant(column + row - e[1:, 1:] - column * row)
