"""Size: the baselines that every proxy has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.proxies.base import proxy
from harness.proxies.sums import sum_of

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe


@proxy(
    "params",
    label="#Params",
    better="higher",
    data="nothing",
    cite="li2024survey",
    source="the baselines of the survey",
)
def params(probe: Probe) -> int:
    """Number of parameters.

    Every entry of every weight, bias, batch-norm scale and shift counts, those of dead operations included.
    """
    return sum(parameter.numel() for parameter in probe.network.parameters())


@proxy(
    "flops", label="#FLOPs", better="higher", data="nothing", cite="li2024survey", source="the baselines of the survey"
)
def flops(probe: Probe) -> int:
    """Multiply-accumulate operations of one image's forward pass.

    Those of convolutions and linear layers; this is what the field calls #FLOPs; pooling, batch norm and additions are
    not counted, as in NATS-Bench's tables.
    """
    return probe.multiply_accumulates()


@proxy(
    "l2_norm",
    label="L2 norm",
    better="higher",
    data="nothing",
    cite="abdelfattah2021zero",
    source="foresight/pruners/measures/l2_norm.py",
)
def l2_norm(probe: Probe) -> Tensor:
    r"""Sum over layers of the norm of the weights.

    :math:`\sum_l \lVert W_l \rVert_2` over convolutions and linear layers. At PyTorch's default initialisation the norm
    hardly depends on the kernel size, so on NAS-Bench-201 this counts convolutions, with noise from the weights drawn.
    """
    return sum_of(weight.detach().norm() for weight in probe.weights)
