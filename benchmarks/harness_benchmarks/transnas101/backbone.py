"""The backbone: stem and modules, the same for all tasks."""

from __future__ import annotations

import functools

from torch import Tensor, nn

from harness_benchmarks.nb201.cells import ReLUConvBN
from harness_benchmarks.nb201.topology import EDGES, NODES, Cell
from harness_benchmarks.transnas101.codes import Code
from harness_benchmarks.transnas101.operations import ResNetBasicBlock, make_operation
from harness_benchmarks.transnas101.skeleton import STEM_WIDTHS, CellShape, cell_shapes


class MicroCell(nn.Module):
    """A cell of the micro space. Dead operations are built and run too, as in the benchmark's training.

    Edges that start at the input node change channels and resolution, all others keep them.
    """

    def __init__(self, cell: Cell, shape: CellShape) -> None:
        super().__init__()
        inner = CellShape(shape.outputs, shape.outputs, stride=1)
        self.operations = nn.ModuleList(
            make_operation(name, shape if source == 0 else inner) for name, (source, _) in zip(cell, EDGES, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, ⌈height / stride⌉, ⌈width / stride⌉)."""
        nodes = [x]
        edges = iter(self.operations)
        for target in range(1, NODES):
            value = next(edges)(nodes[0])
            for source in range(1, target):
                value = value + next(edges)(nodes[source])
            nodes.append(value)
        return nodes[-1]


class Backbone(nn.Module):
    """Stem and cells: images to the feature map that a head reads.

    Its convolutions are drawn from a normal distribution of variance 2 / (output channels · kernel area), Kaiming's for
    fan out; its batch norms have scale one and shift zero.
    """

    def __init__(self, code: Code) -> None:
        super().__init__()
        first, second = STEM_WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(first),
            ReLUConvBN(first, second, 3, stride=2),
        )
        # The macro space has residual blocks instead of cells.
        make = ResNetBasicBlock if code.cell is None else functools.partial(MicroCell, code.cell)
        self.cells = nn.Sequential(*map(make, cell_shapes(code.modules)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, height, width) to (batch, width, ⌈height / stride⌉, ⌈width / stride⌉) with the total stride."""
        features: Tensor = self.cells(self.stem(images))
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The features after the stem and after each cell, each a function of the one before."""
        features = [self.stem(images)]
        for cell in self.cells:
            features.append(cell(features[-1]))
        return features
