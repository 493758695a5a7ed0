"""The transformers of ViT-Bench-101, with the weights that their training began with.

Stochastic depth belongs to the training, and is left out: scores would depend on what is dropped. So are the layers
that compare a network's features with those of its teacher while it is distilled.

Images are of 224 × 224 pixels. Smaller ones are taken too: they use the first positions of the grid of position
embeddings. At initialisation these are independent draws of one distribution, so this is the network that would be
built for smaller images, but for its number of parameters.

Sources: Chen et al., "AutoFormer", ICCV 2021 (arXiv:2107.00651); Heo et al., "Rethinking Spatial Dimensions of Vision
Transformers" (PiT), ICCV 2021 (arXiv:2103.16302); as lilujunai/Auto-Prox-AAAI24 has them at commit 90ed458, in
``pycls/models/auto/autoformer_subnet.py`` and ``pit_subnet.py``.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from harness.errors import HarnessError
from harness_benchmarks.vit_bench_101 import autoformer, pit
from harness_benchmarks.vit_bench_101.layers import (
    EPSILON,
    PATCH,
    TransformerLayer,
    as_column,
    as_map,
    of_column,
    of_map,
)

_DEVIATION = 0.02


class AutoFormerNetwork(nn.Module):
    """A vision transformer whose layers have their own numbers of heads and perceptron widths.

    Patches of 16 × 16 pixels and a class token pass the layers and a layer norm. The class token takes part in the
    attention, but the classifier sees the mean of the patches.

    Args:
        architecture: as :func:`harness_benchmarks.vit_bench_101.autoformer.parse` returns.
        classes: number of classes.
    """

    def __init__(self, architecture: autoformer.AutoFormer, classes: int) -> None:
        super().__init__()
        width = architecture.width
        self.patches = nn.Conv2d(3, width, PATCH, PATCH)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + autoformer.GRID**2, width))
        self.blocks = nn.ModuleList(
            TransformerLayer(width, layer.heads, layer.hidden(width)) for layer in architecture.layers
        )
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)
        for parameter in (self.class_token, self.positions):
            nn.init.trunc_normal_(parameter, std=_DEVIATION)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=_DEVIATION)
                nn.init.zeros_(module.bias)

    def _embedded(self, images: Tensor) -> Tensor:
        """The class token and the patches with their positions, (images, 1 + height · width, channels)."""
        grid = as_map(self.positions[:, 1:], (autoformer.GRID, autoformer.GRID))
        first = (self.class_token + self.positions[:, :1]).expand(len(images), -1, -1)
        return torch.cat([first, of_map(_with_positions(self.patches(images), grid))], dim=1)

    def forward_features(self, images: Tensor) -> Tensor:
        """The map of the patches after the last norm, (images, channels, height, width), before it is averaged."""
        tokens = self._embedded(images)
        for block in self.blocks:
            tokens = block(tokens)
        return as_map(self.norm(tokens)[:, 1:], (images.shape[-2] // PATCH, images.shape[-1] // PATCH))

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """All tokens after the embedding and after each layer, as maps of one column, (images, channels, tokens, 1)."""
        columns = [as_column(self._embedded(images))]
        for block in self.blocks:
            columns.append(as_column(block(of_column(columns[-1]))))
        return columns

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (images, classes)."""
        logits: Tensor = self.classifier(torch.flatten(self.pool(self.forward_features(images)), 1))
        return logits


class PooledTokens(nn.Module):
    """A depthwise convolution with a stride of 2 of the map of patches, and a linear layer for the class token.

    Args:
        inputs: number of input channels.
        outputs: number of output channels, a multiple of the inputs.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, groups=inputs)
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, tokens: Tensor, sides: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
        """Tokens of a map with these sides, (images, 1 + height · width, inputs), the class token first; new sides."""
        found: Tensor = self.convolution(as_map(tokens[:, 1:], sides))
        return torch.cat([self.linear(tokens[:, :1]), of_map(found)], dim=1), (found.shape[2], found.shape[3])


class PitNetwork(nn.Module):
    """A vision transformer of three stages, which halve the resolution like those of a convolutional network.

    Patches of 16 × 16 pixels overlap by half. The classifier sees the class token after a layer norm.

    Args:
        architecture: as :func:`harness_benchmarks.vit_bench_101.pit.parse` returns.
        classes: number of classes.
    """

    def __init__(self, architecture: pit.Pit, classes: int) -> None:
        super().__init__()
        widths = architecture.widths
        self.patches = nn.Conv2d(3, widths[0], PATCH, pit.STRIDE)
        self.positions = nn.Parameter(torch.zeros(1, widths[0], pit.GRID, pit.GRID))
        self.class_token = nn.Parameter(torch.zeros(1, 1, widths[0]))
        self.blocks = nn.ModuleList(
            TransformerLayer(width, stage.heads, architecture.ratio * width)
            for stage, width in zip(architecture.stages, widths, strict=True)
            for _ in range(stage.layers)
        )
        self.poolings = nn.ModuleList(itertools.starmap(PooledTokens, itertools.pairwise(widths)))
        self.norm = nn.LayerNorm(widths[-1], eps=EPSILON)
        self.classifier = nn.Linear(widths[-1], classes)
        ends = list(itertools.accumulate(stage.layers for stage in architecture.stages))
        self._pooled_before = dict(zip(ends, range(len(self.poolings)), strict=False))
        for parameter in (self.positions, self.class_token):
            nn.init.trunc_normal_(parameter, std=_DEVIATION)

    def _embedded(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Class token and patches with positions, (images, 1 + height · width, channels); and the map's sides."""
        patches = _with_positions(self.patches(images), self.positions)
        tokens = torch.cat([self.class_token.expand(len(images), -1, -1), of_map(patches)], dim=1)
        return tokens, (patches.shape[2], patches.shape[3])

    def _after(self, block: int, tokens: Tensor, sides: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
        """Tokens after a layer, counted from 0, and after the pooling before it, if it is the first of a stage."""
        if block in self._pooled_before:
            tokens, sides = self.poolings[self._pooled_before[block]](tokens, sides)
        return self.blocks[block](tokens), sides

    def _through(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        tokens, sides = self._embedded(images)
        for block in range(len(self.blocks)):
            tokens, sides = self._after(block, tokens, sides)
        return tokens, sides

    def forward_features(self, images: Tensor) -> Tensor:
        """The map of the patches after the last layer, (images, channels, height, width), unseen by the classifier."""
        tokens, sides = self._through(images)
        return as_map(tokens[:, 1:], sides)

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """All tokens after the embedding and after each layer, as maps of one column, (images, channels, tokens, 1)."""
        tokens, sides = self._embedded(images)
        columns = [as_column(tokens)]
        for block in range(len(self.blocks)):
            tokens, sides = self._after(block, of_column(columns[-1]), sides)
            columns.append(as_column(tokens))
        return columns

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (images, classes)."""
        tokens, _ = self._through(images)
        logits: Tensor = self.classifier(self.norm(tokens[:, 0]))
        return logits


def _with_positions(patches: Tensor, positions: Tensor) -> Tensor:
    """A map of patches with the first position embeddings of each row and column added.

    Raises:
        HarnessError: if the images are larger than those that the networks are built for.
    """
    height, width = patches.shape[-2:]
    if height > positions.shape[-2] or width > positions.shape[-1]:
        raise HarnessError(
            "the position embeddings are those of images of 224×224 pixels; use --resolution 224 or less"
        )
    return patches + positions[..., :height, :width]


def build_network(architecture: autoformer.AutoFormer | pit.Pit, classes: int) -> nn.Module:
    """The newly initialised network of either family, in training mode."""
    if isinstance(architecture, autoformer.AutoFormer):
        return AutoFormerNetwork(architecture, classes)
    return PitNetwork(architecture, classes)
