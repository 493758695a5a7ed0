"""The operations of TransNAS-Bench-101's cells that NAS-Bench-201's networks do not have."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness_benchmarks.nb201.cells import ReLUConvBN
from harness_benchmarks.transnas101.skeleton import CellShape


class StridedZero(nn.Module):
    """The operation ``none``: zeros of the shape that the edge gives."""

    def __init__(self, shape: CellShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to zeros of (batch, outputs, ⌈height / stride⌉, ⌈width / stride⌉)."""
        stride = self.shape.stride
        height, width = ((side + stride - 1) // stride for side in x.shape[2:])
        return x.new_zeros(x.shape[0], self.shape.outputs, height, width)


class FactorizedReduce(nn.Module):
    """A skip connection that halves the resolution: ReLU, two strided 1×1 convolutions side by side, batch norm.

    The second convolution sees the image moved by one pixel, so that together they see the two diagonals of each 2×2
    patch. The last row and column of the moved image are zeros.
    """

    def __init__(self, shape: CellShape) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(shape.inputs, shape.outputs // 2, 1, shape.stride, bias=False) for _ in range(2)
        )
        self.norm = nn.BatchNorm2d(shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, ⌈height / 2⌉, ⌈width / 2⌉)."""
        here = self.relu(x)
        moved = nn.functional.pad(here, (0, 1, 0, 1))[:, :, 1:, 1:]
        first, second = self.convolutions
        result: Tensor = self.norm(torch.cat([first(here), second(moved)], dim=1))
        return result


def make_operation(name: str, shape: CellShape) -> nn.Module:
    """The module of one edge.

    Raises:
        ValueError: if the micro space has no such operation.
    """
    match name:
        case "none":
            return StridedZero(shape)
        case "skip_connect":
            return nn.Identity() if shape.stride == 1 else FactorizedReduce(shape)
        case "nor_conv_1x1":
            return ReLUConvBN(shape.inputs, shape.outputs, 1, shape.stride)
        case "nor_conv_3x3":
            return ReLUConvBN(shape.inputs, shape.outputs, 3, shape.stride)
        case _:
            raise ValueError(f"unknown operation '{name}'")


class ResNetBasicBlock(nn.Module):
    """The cell of the macro space: two 3×3 convolutions beside a shortcut, added without a ReLU after.

    Where it changes channels or resolution, the shortcut is a 1×1 convolution with batch norm.
    """

    def __init__(self, shape: CellShape) -> None:
        super().__init__()
        self.conv_a = ReLUConvBN(shape.inputs, shape.outputs, 3, shape.stride)
        self.conv_b = ReLUConvBN(shape.outputs, shape.outputs, 3)
        self.shortcut: nn.Module = nn.Identity()
        if shape.stride != 1 or shape.inputs != shape.outputs:
            # The networks were trained with eps and momentum of 1 here: the official code gives BatchNorm2d its
            # affine=True and track_running_stats=True by position, which are the places of eps and momentum.
            self.shortcut = nn.Sequential(
                nn.Conv2d(shape.inputs, shape.outputs, 1, shape.stride, bias=False),
                nn.BatchNorm2d(shape.outputs, eps=1.0, momentum=1.0),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, ⌈height / stride⌉, ⌈width / stride⌉)."""
        total: Tensor = self.shortcut(x) + self.conv_b(self.conv_a(x))
        return total
