"""The networks of NAS-Bench-Macro.

A stem of 32 channels, the searched layers, a head of 1,280 channels, global average pooling and a linear classifier.
Every stage doubles the channels and halves the resolution. All activations are ReLUs, and the last convolution of an
inverted bottleneck has none. Weights and batch norms are those that PyTorch initialises, as in the official training
(xiusu/NAS-Bench-Macro at commit 61a2bfc, ``train/model.py``).
"""

from __future__ import annotations

from torch import Tensor, nn

from harness_benchmarks.nasbench_macro.codes import HEAD_WIDTH, STEM_WIDTH, Layer, layers


class ConvNorm(nn.Sequential):
    """A convolution without bias that keeps the resolution up to its stride, a batch norm and, if asked for, a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, relu: bool = False
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            *([nn.ReLU()] if relu else []),
        )


class InvertedBottleneck(nn.Module):
    """MobileNetV2's block: a 1×1 convolution to more channels, a depthwise one, a 1×1 one back.

    The input is added if it has the shape of the output.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        wide = layer.expansion * layer.inputs
        self.branch = nn.Sequential(
            ConvNorm(layer.inputs, wide, relu=True),
            ConvNorm(wide, wide, layer.kernel, layer.stride, groups=wide, relu=True),
            ConvNorm(wide, layer.outputs),
        )
        self.adds = layer.stride == 1 and layer.inputs == layer.outputs

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height / stride, width / stride)."""
        out: Tensor = self.branch(x)
        return out + x if self.adds else out


class MacroNetwork(nn.Module):
    """The network of an architecture; identities that keep the shape are no layers.

    Raises:
        HarnessError: if the architecture is not eight of the digits 0, 1 and 2.
    """

    def __init__(self, architecture: str, classes: int) -> None:
        super().__init__()
        searched = layers(architecture)
        self.stem = ConvNorm(3, STEM_WIDTH, kernel=3, relu=True)
        self.blocks = nn.Sequential(*map(_block, searched))
        self.head = ConvNorm(searched[-1].outputs, HEAD_WIDTH, relu=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(HEAD_WIDTH, classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The head's feature map before global average pooling, an eighth as high and as wide as the images."""
        features: Tensor = self.head(self.blocks(self.stem(images)))
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The features after the stem, after each searched layer and after the head, each a function of the former."""
        features = [self.stem(images)]
        for block in (*self.blocks, self.head):
            features.append(block(features[-1]))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(self.pool(self.forward_features(images)).flatten(1))
        return logits


def _block(layer: Layer) -> nn.Module:
    if layer.expansion:
        return InvertedBottleneck(layer)
    return ConvNorm(layer.inputs, layer.outputs, layer.kernel, layer.stride)
