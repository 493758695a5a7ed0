"""Proxies of the activation patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.proxies.base import proxy

if TYPE_CHECKING:
    from harness.probe import Probe


@proxy(
    "naswot",
    label="NASWOT",
    better="higher",
    data="images",
    cite="mellor2021naswot",
    source="score_networks.py of the official code",
)
def naswot(probe: Probe) -> Tensor:
    r"""How differently images switch the ReLUs: log-determinant of their kernel.

    :math:`\log |\det K|`, where :math:`K_{ij}` is the number of ReLU units that are both active or both inactive on
    images i and j, in training mode. Two images with the same pattern make K singular and the score −∞.
    """
    logarithm: Tensor = torch.linalg.slogdet(probe.relu_kernel()).logabsdet
    return logarithm
