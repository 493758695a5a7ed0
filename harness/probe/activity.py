"""Which units of a network are active."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor


def active_units(relu_input: Tensor) -> Tensor:
    """1 where the input of a ReLU is positive, 0 elsewhere: (batch, units), float32.

    Units are in memory order, so feature maps of either layout are read without copying. The result is the ReLU's
    gradient for a gradient of ones, which takes one pass over the memory; comparing and converting would take three.

    >>> active_units(torch.tensor([[-1.0, 0.0, 2.0]]))
    tensor([[0., 0., 1.]])
    """
    lying = _in_memory_order(relu_input)
    ones = torch.ones((), dtype=relu_input.dtype, device=relu_input.device).expand_as(lying)
    active: Tensor = torch.ops.aten.threshold_backward(ones, lying, 0)
    return active.flatten(1).float()


def _in_memory_order(relu_input: Tensor) -> Tensor:
    return relu_input.permute(0, 2, 3, 1) if relu_input.dim() == 4 else relu_input


def agreeing_units(relu_inputs: Sequence[Tensor]) -> Tensor:
    """K_ij = the number of ReLU units that agree on images i and j: (batch, batch), float64.

    With x the binary codes, u the number of units and r_i the number of active units of image i,
    K = x xᵀ + (1 − x)(1 − x)ᵀ = 2 x xᵀ − r_i − r_j + u: one product instead of two, and one for all the ReLUs that
    read the same tensor. K is the same with the codes of the inactive units.
    """
    readers: dict[int, tuple[Tensor, int]] = {}
    for tensor in relu_inputs:
        readers[id(tensor)] = (tensor, readers.get(id(tensor), (tensor, 0))[1] + 1)
    size = len(relu_inputs[0])
    kernel = torch.zeros(size, size, dtype=torch.float64, device=relu_inputs[0].device)
    for tensor, count in readers.values():
        together = _together(tensor.detach()).double()
        alone = together.diagonal()
        kernel += count * (2 * together - alone[:, None] - alone[None, :] + tensor[0].numel())
    return kernel


def _together(relu_input: Tensor) -> Tensor:
    """How many units are active, or how many are inactive, on both images i and j: (batch, batch), exact."""
    if relu_input.device.type == "cpu" and _has_products_of_bytes():
        inactive = (_in_memory_order(relu_input) <= 0).flatten(1).view(torch.int8)
        return torch._int_mm(inactive, inactive.T)
    # Counts below 2²⁴ are exact in float32.
    active = active_units(relu_input)
    return active @ active.T


@functools.cache
def _has_products_of_bytes() -> bool:
    """Whether this processor multiplies bytes faster than floats; elsewhere, torch does it one by one."""
    one_dnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return one_dnn and torch.backends.cpu.get_cpu_capability() == "AVX512"
