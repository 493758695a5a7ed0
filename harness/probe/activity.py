"""Which units of a network are active."""

from __future__ import annotations

import torch
from torch import Tensor


def active_units(relu_input: Tensor) -> Tensor:
    """1 where what enters a ReLU is positive, 0 elsewhere: (batch, units), float32.

    The units come in the order of the memory, so that feature maps of either layout are read as they lie. It is the
    gradient of the ReLU for a gradient of ones, which takes one pass over the memory where comparing and converting
    takes three.

    >>> active_units(torch.tensor([[-1.0, 0.0, 2.0]]))
    tensor([[0., 0., 1.]])
    """
    lying = relu_input.permute(0, 2, 3, 1) if relu_input.dim() == 4 else relu_input
    ones = torch.ones((), dtype=relu_input.dtype, device=relu_input.device).expand_as(lying)
    active: Tensor = torch.ops.aten.threshold_backward(ones, lying, 0)
    return active.flatten(1).float()
