"""The networks built from cells of NAS-Bench-201, as the benchmark trained them.

NATS-Bench's topology space and the embedded digits benchmark share these networks; what a cell is stands in
:mod:`benchmarks.topology`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from benchmarks.topology import NODES, OPERATIONS, Cell


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, batch norm: the ``nor_conv`` operations."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation ``none``: zeros in place of the input."""

    def forward(self, x: Tensor) -> Tensor:
        """Zeros of the input's shape and layout."""
        return torch.zeros_like(x)


def make_operation(name: str, channels: int) -> nn.Module:
    """The module of one edge. Every operation keeps the shape of its input."""
    match name:
        case "none":
            return Zero()
        case "skip_connect":
            return nn.Identity()
        case "nor_conv_1x1":
            return ReLUConvBN(channels, channels, 1)
        case "nor_conv_3x3":
            return ReLUConvBN(channels, channels, 3)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case _:
            raise ValueError(f"unknown operation '{name}'; known: {', '.join(OPERATIONS)}")


class CellModule(nn.Module):
    """A cell at a given width. Dead operations are built and run too, as the benchmark trained them."""

    def __init__(self, cell: Cell, channels: int) -> None:
        super().__init__()
        self.operations = nn.ModuleList(make_operation(name, channels) for name in cell)

    def forward(self, x: Tensor) -> Tensor:
        """The last node's value; (batch, channels, height, width) to the same shape."""
        nodes: list[Tensor] = [x]
        edges = iter(self.operations)
        for target in range(1, NODES):
            value = next(edges)(nodes[0])
            for source in range(1, target):
                value = value + next(edges)(nodes[source])
            nodes.append(value)
        return nodes[-1]


class ReductionBlock(nn.Module):
    """A residual block that halves the resolution; between the stages."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_a = ReLUConvBN(inputs, outputs, 3, stride=2)
        self.conv_b = ReLUConvBN(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height / 2, width / 2)."""
        total: Tensor = self.shortcut(x) + self.conv_b(self.conv_a(x))
        return total


class CellNetwork(nn.Module):
    """Stem, stages of equal cells with a reduction block between them, and a linear classifier.

    Args:
        cell: the operations of every cell.
        widths: the channels of each stage, such as (16, 32, 64).
        cells_per_stage: how many cells each stage has.
        classes: the number of logits.
        image_channels: the channels of an image.
    """

    def __init__(
        self, cell: Cell, widths: Sequence[int], cells_per_stage: int, classes: int, image_channels: int = 3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0])
        )
        blocks: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage > 0:
                blocks.append(ReductionBlock(widths[stage - 1], width))
            blocks += [CellModule(cell, width) for _ in range(cells_per_stage)]
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(widths[-1], classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling, halved in height and width by each reduction block."""
        features: Tensor = self.last(self.blocks(self.stem(images)))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(self.pool(self.forward_features(images)).flatten(1))
        return logits
