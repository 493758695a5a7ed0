"""Average pooling that keeps the size of a map, without gradients, faster than torch's on a CPU.

Torch's own kernel takes as long as a 3×3 convolution. A convolution of each channel with ones adds the entries of a
window in the same order, so the results have the same bits wherever oneDNN adds them one after another.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.utils import _pair

from harness.networks.replacing import replace_modules

_FEWEST_CHANNELS = 8
"""With fewer, oneDNN has no kernel for single channels."""


def average_pooling(maps: Tensor, *how: Any) -> Tensor:
    """:func:`torch.nn.functional.avg_pool2d`, with the same arguments, all given; has no gradient."""
    size = _size_of_windows(maps, *how)
    return F.avg_pool2d(maps, *how) if size is None else _sums(maps, size).div_(_counts(maps, size, how[4]))


def average_pooling_backward(gradient: Tensor, *how: Any) -> Tensor | None:
    """The gradient at the pooling's input; None where torch's own kernel has to compute it."""
    size = _size_of_windows(gradient, *how)
    return None if size is None else _sums(gradient / _counts(gradient, size, how[4]), size)


def with_quick_pooling(network: nn.Module) -> nn.Module:
    """Let a copy of a network pool in this way, in place, for passes without gradients."""
    return replace_modules(network, lambda module: _Pooling(module) if type(module) is nn.AvgPool2d else None)


class _Pooling(nn.Module):
    """Replaces a :class:`torch.nn.AvgPool2d`."""

    def __init__(self, like: nn.AvgPool2d) -> None:
        super().__init__()
        stride = like.kernel_size if like.stride is None else like.stride
        self.how = (
            *(like.kernel_size, stride, like.padding),
            *(like.ceil_mode, like.count_include_pad, like.divisor_override),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """As its original does."""
        return average_pooling(maps, *self.how)


def _size_of_windows(
    maps: Tensor, kernel: Any, stride: Any, padding: Any, ceil: bool, count_padding: bool, divisor: int | None
) -> int | None:
    """The side of a window that moves by one and sees each place once in its middle, if the quick way is possible."""
    size = _pair(kernel)[0]
    centred = (_pair(kernel), _pair(stride), _pair(padding)) == ((size, size), (1, 1), (size // 2, size // 2))
    quick = (
        maps.dtype == torch.float32
        and maps.device.type == "cpu"
        and maps.dim() == 4
        and maps.shape[1] >= _FEWEST_CHANNELS
        and maps.is_contiguous(memory_format=torch.channels_last)
        and _has_one_dnn()
    )
    return size if quick and centred and size % 2 == 1 and divisor is None else None


def _sums(maps: Tensor, size: int) -> Tensor:
    """The sum of each window of each channel, with zeros around the map."""
    channels, around = maps.shape[1], size // 2
    ones = maps.new_ones(channels, 1, size, size)
    sums: Tensor = torch.ops.aten.convolution(
        maps, ones, None, [1, 1], [around, around], [1, 1], False, [0, 0], channels
    )
    return sums


def _counts(maps: Tensor, size: int, count_padding: bool) -> Tensor:
    """What the sum of each window is divided by."""
    if count_padding:
        return maps.new_tensor(size * size)
    return F.avg_pool2d(maps.new_ones(1, 1, *maps.shape[2:]), size, 1, size // 2, divisor_override=1)


@functools.cache
def _has_one_dnn() -> bool:
    """Whether oneDNN has its own kernels for this processor."""
    one_dnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return one_dnn and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
