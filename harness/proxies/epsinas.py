r"""The epsinas score: how much a network's outputs change between two constant values of all weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.contracts.proxy import proxy
from harness.networks.leaving import untouched
from harness.networks.replacing import replace_modules
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part, seeing

if TYPE_CHECKING:
    from harness.probe import Probe


ROUNDING = 1e-9


@proxy(
    "epsinas",
    label="epsinas",
    better="higher",
    data="images",
    cite="gracheva2025epsinas",
    source="compute_epsinas in NAS-Bench-201/epsinas_utils.py",
    version=2,
)
def epsinas(probe: Probe) -> Tensor:
    """Distance between the network's outputs with all weights 1e-7 and with all weights 1.

    :math:`|p_{w_1} - p_{w_2}|` on average, divided by the mean of both, with :math:`w_1` = 1e-7, :math:`w_2` = 1 and
    :math:`p_w` the outputs on the mini-batch, scaled to [0, 1], of a copy in which every weight is w (batch norm
    weights too) and every bias is 0. The smallest outputs are left out. Modules are in evaluation mode, but batch norm
    takes its statistics from the mini-batch, because the official networks keep no running statistics. NaN if all
    outputs are equal, for example because no signal reaches them; 0 up to rounding for a plain chain, where a common
    weight only rescales.

    The official code computes in float32, where the signal of the small weight underflows: a network has a score only
    if each cell has a path without convolutions. Here float64 gives the other networks a score too.

    The two weights are those of the official script for NAS-Bench-201. The official function for choosing a pair does
    not use accuracies, but the number of networks left without a score. The repository also has a study of other pairs
    that does use accuracies, and does not say how the pair was chosen. This proxy was checked against the official code
    on its own networks; of the paper, only the abstract was read.

    Raises:
        NotApplicableError: if the mini-batch has a single image.
    """
    return _epsinas(probe, 1e-7, 1.0)


@proxy(
    "epsinas_nasbench101",
    label="epsinas (NB101)",
    better="higher",
    data="images",
    cite="gracheva2025epsinas",
    source="compute_epsinas in NAS-Bench-101/epsinas_utils.py",
    version=2,
    variant_of="epsinas",
)
def epsinas_nasbench101(probe: Probe) -> Tensor:
    """The epsinas score with weights 1e-4 and 10, as in the official code for NAS-Bench-101.

    The code does not say how this pair was chosen; it lies outside the range that its selection function tries.
    Otherwise as ``epsinas``.

    Raises:
        NotApplicableError: if the mini-batch has a single image.
    """
    return _epsinas(probe, 1e-4, 10.0)


@quantity("harness.proxies.epsinas:_epsinas")
def _epsinas(probe: Probe, low: float, high: float) -> Tensor:
    images = probe.batch().images.double()
    if len(images) < 2:
        raise NotApplicableError("needs at least two images; use a larger mini-batch (--batch-size)")
    network = replace_modules(probe.copy().double(), _equal_weights).eval()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    with seeing(network, Part.LAYERS, Part.BATCH_NORMS):
        first = _scaled_outputs(network, images, low)
    second = _scaled_outputs(network, images, high)
    return (first - second).abs().nanmean() / torch.stack([first, second]).nanmean()


class _EqualWeights(nn.Module):
    """A convolution whose weights all get one value, so that all its output channels are equal.

    It convolves the sum of the input channels once, instead of every pair of input and output channels.
    """

    stands_for = nn.Conv2d

    def __init__(self, original: nn.Conv2d) -> None:
        super().__init__()
        self.entering, self.channels = original.in_channels, original.out_channels
        self.shape: Any = (original.stride, original.padding, original.dilation)
        self.weight = nn.Parameter(original.weight[:1, :1].detach().clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (batch, channels, height, width) to the output feature map, as the convolution does."""
        if x.shape[1] != self.entering:
            raise RuntimeError(f"a convolution expects {self.entering} input channels and got {x.shape[1]}")
        one: Tensor = F.conv2d(x.sum(dim=1, keepdim=True), self.weight, None, *self.shape)
        return one.expand(-1, self.channels, -1, -1).contiguous(memory_format=torch.channels_last)


def _equal_weights(module: nn.Module) -> nn.Module | None:
    if type(module) is nn.Conv2d and module.groups == 1 and module.padding_mode == "zeros":
        return _EqualWeights(module)
    return None


def _scaled_outputs(network: nn.Module, images: Tensor, weight: float) -> Tensor:
    """All outputs in one vector, scaled to [0, 1], with NaN in place of zeros."""
    with torch.no_grad(), untouched(network):
        for module in network.modules():
            own = dict(module.named_parameters(recurse=False))
            if "weight" in own:
                own["weight"].fill_(weight)
            if "bias" in own:
                own["bias"].zero_()
        outputs: Tensor = network(images.clone()).flatten()
    low, high = outputs.min(), outputs.max()
    scaled = (outputs - low) / (high - low)
    # Equal logits of one image may differ by rounding, so more than the exact minimum is left out.
    return torch.where(scaled < ROUNDING, torch.nan, scaled)
