"""ZiCo: inverse coefficient of variation of the gradients across mini-batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from harness.proxies.base import proxy
from harness.proxies.sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe


def _zico(first: list[Tensor], second: list[Tensor], of_magnitudes: bool) -> Tensor:
    terms = []
    for a, b in zip(first, second, strict=True):
        # Of two values, the mean is half their sum and the population standard deviation half their distance.
        spread = ((a.abs() - b.abs()) if of_magnitudes else (a - b)).abs()
        varying = spread > 0
        ratio = ((a.abs() + b.abs())[varying] / spread[varying]).sum()
        if ratio > 0:
            terms.append(ratio.log())
    return sum_of(terms)


@proxy(
    "zico",
    label="ZiCo",
    better="higher",
    data="labels",
    cite="li2023zico",
    source="ZeroShotProxy/compute_zico.py",
    batches=2,
)
def zico(probe: Probe) -> Tensor:
    r"""Mean of the gradient's magnitude over its deviation between mini-batches.

    :math:`\sum_l \log \sum_{w \in l} \operatorname{mean}_b |g_w| / \operatorname{std}_b(g_w)` over two mini-batches b,
    population standard deviation of the signed gradient as in the official code (the paper writes that of |g|:
    ``zico_magnitude``). Weights whose gradient does not vary and layers without gradient are left out.
    """
    return _zico(probe.loss_gradients(0), probe.loss_gradients(1), of_magnitudes=False)


@proxy(
    "zico_magnitude",
    label="ZiCo (|g|)",
    better="higher",
    data="labels",
    cite="li2023zico",
    source="the paper's formula with Var(|g|)",
    batches=2,
    variant_of="zico",
)
def zico_magnitude(probe: Probe) -> Tensor:
    """ZiCo with the standard deviation of the gradient's magnitude, as the paper writes it.

    Otherwise as ``zico``.
    """
    return _zico(probe.loss_gradients(0), probe.loss_gradients(1), of_magnitudes=True)
