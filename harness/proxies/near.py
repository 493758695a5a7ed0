"""NEAR: effective ranks of the outputs of layers and activation functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.kinds import ACTIVATION_MODULES, channel_axis
from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part, seeing
from harness.proxies._drawn import by_norm
from harness.proxies._features import once_each

if TYPE_CHECKING:
    from harness.probe import Probe

SEEN = (Part.LAYERS, Part.ACTIVATIONS, Part.BATCH_NORMS, Part.MODULES)


@proxy(
    "near",
    label="NEAR",
    better="higher",
    data="images",
    cite="husistein2025near",
    axes=("expressivity",),
    source="src/near_score/near_score.py",
    version=2,
)
@quantity("harness.proxies.near:_near")
def near(probe: Probe) -> Tensor:
    r"""Sum of the effective ranks of pre- and post-activations.

    :math:`\sum_m \exp( -\sum_i p_i \log p_i )`, where p are the singular values of a matrix of module m, divided by
    their sum; 0 for a matrix of zeros. The sum runs over modules with a weight and activation functions: convolution,
    batch norm and ReLU each count, which is more than the paper's two matrices per layer. A module that is called
    several times counts each time, as separate modules would (the official code uses only the first call). The matrix
    has a column for each of the C channels and, as in the official code, a row for each of C consecutive positions of
    the feature map, ordered by image, then by column of pixels. The block starts at a random column of pixels, except
    the last. With fewer than C positions, all of them are rows. Training mode, one draw of the weights. Images are
    sorted by norm, so the order of the mini-batch does not matter.

    Raises:
        NotApplicableError: if the network has no such modules, or uses layers or activation functions that are not
            modules.
    """
    matrices = _activation_matrices(probe.network, by_norm(probe.batch().images))
    if not matrices:
        raise NotApplicableError("the network has neither weighted modules nor activation functions")
    score: Tensor = once_each(matrices, _effective_ranks).sum()
    return score


def _effective_ranks(stacked: Tensor) -> Tensor:
    values = torch.linalg.svdvals(stacked)
    shares = values / values.sum(dim=1, keepdim=True)
    entropies: Tensor = torch.special.entr(shares).sum(dim=1)
    return entropies.exp().nan_to_num(nan=0)


def _activation_matrices(network: nn.Module, images: Tensor) -> list[Tensor]:
    """A matrix (positions, channels) for each call of a counted module, in the network's order, float64."""
    counted = [m for m in network.modules() if hasattr(m, "weight") or isinstance(m, ACTIVATION_MODULES)]
    found: dict[int, list[Tensor]] = {id(module): [] for module in counted}

    axis = 1

    def after(module: nn.Module, _: Any, output: Any) -> None:
        nonlocal axis
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor) and first.dim() > 1:
            # An activation function has its channels where the layer before it has them.
            axis = axis if isinstance(module, ACTIVATION_MODULES) else channel_axis(module, first)
            found[id(module)].append(_block(first.detach() if axis == 1 else first.detach().movedim(-1, 1)))

    handles = [module.register_forward_hook(after) for module in counted]
    with hooked(handles), seeing(network, *SEEN), torch.no_grad(), untouched(network):
        network(images.clone())
    return [matrix for matrices in found.values() for matrix in matrices]


def _block(output: Tensor) -> Tensor:
    """C consecutive rows of the output from a random start, as a matrix (positions, channels)."""
    column = output.shape[-1]  # the official code starts at multiples of this: the width of a map or vector
    rows = output.transpose(1, 3).flatten(0, 2) if output.dim() == 4 else output.movedim(1, -1).flatten(0, -2)
    channels = rows.shape[1]
    if len(rows) < channels:
        return rows.to(torch.float64, copy=True)
    places = len(rows) // column - 1
    start = int(torch.randint(places, ())) * column if places > 0 else 0
    return rows[start : start + channels].to(torch.float64, copy=True)
