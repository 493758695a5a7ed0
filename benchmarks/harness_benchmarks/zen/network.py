r"""The networks of Zen-NAS's structures, with or without residual links and squeeze and excitation.

A network is the units of all blocks in order, global average pooling and a linear classifier. Every unit ends with a
ReLU. Batch norms have :math:`\epsilon = 10^{-3}`. Weights are initialised as PyTorch does by default. The official code
trains from another initialisation (``Masternet.py``, ``init_parameters``), and its Zen-Score first draws every weight
from N(0, 1), which is part of the proxy here too. With squeeze and excitation, a batch in training mode needs two
images, because a batch norm there sees one value per image and channel.

Source: idstcv/ZenNAS, ``PlainNet/`` and ``Masternet.py``, of Lin et al., "Zen-NAS", ICCV 2021 (arXiv:2102.01063).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from harness_benchmarks.zen.counters import expanded, squeezed
from harness_benchmarks.zen.grammar import Block

EPSILON = 1e-3


class ConvNorm(nn.Sequential):
    """A convolution without bias that keeps the resolution up to its stride, and a batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=EPSILON),
        )


class SqueezeExcite(nn.Module):
    """Each channel of an image times a number from 0 to 1 that depends on the means of all its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = squeezed(channels)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), ConvNorm(channels, middle), nn.ReLU(), ConvNorm(middle, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """The map with its channels scaled; the shape stays."""
        scaled: Tensor = self.gate(x) * x
        return scaled


class Unit(nn.Module):
    """A branch of convolutions, the shortcut added if there is one, and a ReLU."""

    def __init__(self, branch: Sequence[nn.Module], shortcut: nn.Module | None) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)
        self.shortcut = shortcut
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height / stride, width / stride), rounded up."""
        out: Tensor = self.branch(x)
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        activated: Tensor = self.relu(out)
        return activated


class ZenNetwork(nn.Module):
    """The network of a structure.

    Args:
        blocks: as :func:`harness_benchmarks.zen.grammar.parse` returns.
        classes: number of classes.
        links: whether each unit but plain convolutions has a shortcut.
        excites: whether these units have squeeze and excitation after their middle ReLU, or after the only one.
    """

    def __init__(self, blocks: Sequence[Block], classes: int, *, links: bool, excites: bool) -> None:
        super().__init__()
        units = [unit for block in blocks for unit in _Builder(block, links, excites).units()]
        self.units = nn.Sequential(*units)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(blocks[-1].outputs, classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling; the official ``forward_pre_GAP``."""
        features: Tensor = self.units(images)
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The outputs of all units, those of plain convolutions included.

        In the mobile space, these are the features of AZ-NAS's code (``ImageNet_MBV2/Masternet.py``).
        """
        outputs = list[Tensor]()
        for unit in self.units:
            outputs.append(unit(outputs[-1] if outputs else images))
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(torch.flatten(self.pool(self.forward_features(images)), 1))
        return logits


class _Builder:
    """Builds the units of one block."""

    def __init__(self, block: Block, links: bool, excites: bool) -> None:
        self.block, self.links, self.excites = block, links, excites

    def units(self) -> Iterator[nn.Module]:
        """The units of all layers."""
        inputs, stride = self.block.inputs, self.block.stride
        for layer in range(self.block.layers):
            yield from self._layer(inputs, stride, first=layer == 0)
            inputs, stride = self.block.outputs, 1

    def _layer(self, inputs: int, stride: int, first: bool) -> Iterator[nn.Module]:
        block, kernel = self.block, self.block.type.kernel
        match block.type.kind:
            case "convolution":
                yield Unit([ConvNorm(inputs, block.outputs, kernel, stride)], None)
            case "basic":
                yield Unit(
                    [
                        ConvNorm(inputs, block.bottleneck, kernel, stride),
                        *self._middle(block.bottleneck),
                        ConvNorm(block.bottleneck, block.outputs, kernel),
                    ],
                    self._shortcut(inputs, block.outputs, stride, first),
                )
            case "bottleneck":
                yield self._bottleneck(inputs, stride, first)
                yield self._bottleneck(block.outputs, 1, False)
            case "inverted":
                yield self._inverted(inputs, block.bottleneck, stride, first)
                yield self._inverted(block.bottleneck, block.outputs, 1, False)

    def _bottleneck(self, inputs: int, stride: int, first: bool) -> Unit:
        narrow, outputs = self.block.bottleneck, self.block.outputs
        branch = [
            ConvNorm(inputs, narrow),
            nn.ReLU(),
            ConvNorm(narrow, narrow, self.block.type.kernel, stride),
            *self._middle(narrow),
            ConvNorm(narrow, outputs),
        ]
        return Unit(branch, self._shortcut(inputs, outputs, stride, first))

    def _inverted(self, inputs: int, outputs: int, stride: int, first: bool) -> Unit:
        wide = expanded(outputs, self.block.type.expansion)
        branch = [
            ConvNorm(inputs, wide),
            nn.ReLU(),
            ConvNorm(wide, wide, self.block.type.kernel, stride, groups=wide),
            *self._middle(wide),
            ConvNorm(wide, outputs),
        ]
        return Unit(branch, self._shortcut(inputs, outputs, stride, first))

    def _middle(self, channels: int) -> list[nn.Module]:
        return [nn.ReLU(), SqueezeExcite(channels)] if self.excites else [nn.ReLU()]

    def _shortcut(self, inputs: int, outputs: int, stride: int, first: bool) -> nn.Module | None:
        """A projection in a block's first unit, even where the shapes agree, and wherever they differ."""
        if not self.links:
            return None
        if not first and stride == 1 and inputs == outputs:
            return nn.Identity()
        # With a bias, which the batch norm makes useless: the official networks have it, so the counts include it.
        return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs, eps=EPSILON))
