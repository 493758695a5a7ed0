"""Sums over layers, and the determinants of kernels that are such sums."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """The sum of scalar tensors in float64, so that many layers cost no precision; 0 if there are none."""
    scalars = list(terms)
    return torch.stack(scalars).double().sum() if scalars else torch.zeros((), dtype=torch.float64)


def log_determinant(kernel: Tensor) -> Tensor:
    """Log |det K|; −∞ if K is singular."""
    logarithm: Tensor = torch.linalg.slogdet(kernel).logabsdet
    return logarithm
