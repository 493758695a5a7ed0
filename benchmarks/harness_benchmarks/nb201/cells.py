"""The networks built from cells of NAS-Bench-201, as the benchmark trained them.

NATS-Bench's topology and size spaces and the embedded digits benchmark share these networks; what a cell is stands in
:mod:`harness_benchmarks.nb201.topology`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness_benchmarks.nb201.topology import EDGES, NODES, OPERATIONS, Cell


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, batch norm: the ``nor_conv`` operations."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation ``none``: returns zeros."""

    def forward(self, x: Tensor) -> Tensor:
        """Zeros of the input's shape and layout."""
        return torch.zeros_like(x)


def make_operation(name: str, inputs: int, outputs: int | None = None) -> nn.Module:
    """The module of one edge, by default with as many outputs as inputs; it keeps height and width.

    A ``skip_connect`` between different widths is a 1×1 convolution without bias and a batch norm, with no ReLU before.

    Raises:
        ValueError: if the operation does not exist or cannot change the number of channels.
    """
    outputs = inputs if outputs is None else outputs
    if name in ("none", "avg_pool_3x3") and inputs != outputs:
        raise ValueError(f"'{name}' cannot map {inputs} to {outputs} channels")
    match name:
        case "none":
            return Zero()
        case "skip_connect" if inputs == outputs:
            return nn.Identity()
        case "skip_connect":
            return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        case "nor_conv_1x1":
            return ReLUConvBN(inputs, outputs, 1)
        case "nor_conv_3x3":
            return ReLUConvBN(inputs, outputs, 3)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case _:
            raise ValueError(f"unknown operation '{name}'; known: {', '.join(OPERATIONS)}")


class CellModule(nn.Module):
    """A cell whose first node has ``inputs`` channels, and all others ``outputs``, by default as many.

    Dead operations are built and run too, as in the benchmark's training.
    """

    def __init__(self, cell: Cell, inputs: int, outputs: int | None = None) -> None:
        super().__init__()
        outputs = inputs if outputs is None else outputs
        self.operations = nn.ModuleList(
            make_operation(name, inputs if source == 0 else outputs, outputs)
            for name, (source, _) in zip(cell, EDGES, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The last node's value; (batch, inputs, height, width) to (batch, outputs, height, width)."""
        nodes: list[Tensor] = [x]
        edges = iter(self.operations)
        for target in range(1, NODES):
            arriving = [(next(edges), nodes[source]) for source in range(target)]
            # Zeros are added too: they cost as much as any other value.
            values = [operation(node) for operation, node in arriving if not isinstance(operation, Zero)]
            nodes.append(sum(values[1:], values[0]) if values else arriving[0][0](nodes[0]))
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


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        width: number of output channels.
        reduces: whether it is a reduction block; otherwise it is a cell.
    """

    width: int
    reduces: bool = False


class LayeredNetwork(nn.Module):
    """Stem as wide as the first layer, layers of any widths, and a linear classifier."""

    def __init__(self, cell: Cell, layers: Sequence[Layer], classes: int, image_channels: int = 3) -> None:
        super().__init__()
        width = layers[0].width
        self.stem = nn.Sequential(nn.Conv2d(image_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        blocks: list[nn.Module] = []
        for layer in layers:
            blocks.append(ReductionBlock(width, layer.width) if layer.reduces else CellModule(cell, width, layer.width))
            width = layer.width
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling, halved in height and width by each reduction block."""
        features: Tensor = self.last(self.blocks(self.stem(images)))
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The features after the stem and after each layer, each a function of the one before."""
        features = [self.stem(images)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(self.pool(self.forward_features(images)).flatten(1))
        return logits


class CellNetwork(LayeredNetwork):
    """Stem, stages of equal cells, of widths such as (16, 32, 64), with reduction blocks between, linear classifier."""

    def __init__(
        self, cell: Cell, widths: Sequence[int], cells_per_stage: int, classes: int, image_channels: int = 3
    ) -> None:
        layers: list[Layer] = []
        for stage, width in enumerate(widths):
            layers += [Layer(width, reduces=True)] * (stage > 0)
            layers += [Layer(width)] * cells_per_stage
        super().__init__(cell, layers, classes, image_channels)
        self.cell = cell

    def thin_network(self) -> CellNetwork:
        """One cell of one channel without stem, in which TE-NAS counts linear regions."""
        thin = CellNetwork(self.cell, (1,), 1, self.classifier.out_features, image_channels=1)
        thin.stem = nn.Sequential()
        return thin
