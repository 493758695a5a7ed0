"""The networks of Accel-NASBench, with the weights that their training began with.

A stem, seven stages of inverted bottlenecks, a 1×1 convolution, global average pooling and a linear classifier.
Activation functions are ReLUs, because the networks were trained so that FPGAs can run them. Stochastic depth and the
dropout before the classifier belong to the training, and are left out: scores would depend on what is dropped.

Source: afzalxo/ANB-DatasetCollection at commit 08a6baa, ``models/accelbenchnet.py``, and ``configs/conf_local.cfg`` for
the activation function; of Ahmad et al., "Accel-NASBench", DAC 2024 (arXiv:2404.08005).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.networks.stand_ins import Hardsigmoid
from harness_benchmarks.accel_nasbench.architecture import STRIDES, WIDTHS, Stage
from harness_benchmarks.accel_nasbench.sizes import HEAD, STEM, squeezed


class ConvNorm(nn.Sequential):
    """A convolution without bias that keeps the resolution up to its stride, a batch norm and perhaps a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, activates: bool = True
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            *([nn.ReLU()] if activates else []),
        )


class SqueezeExcite(nn.Module):
    """Each channel of an image times a number from 0 to 1 that depends on the means of all its channels."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, middle, 1),
            nn.ReLU(),
            nn.Conv2d(middle, channels, 1),
            Hardsigmoid(),  # torch's own cannot be differentiated twice
        )

    def forward(self, x: Tensor) -> Tensor:
        """The map with its channels scaled; the shape stays."""
        scaled: Tensor = self.gate(x) * x
        return scaled


class InvertedBottleneck(nn.Module):
    """1×1 convolution to the inner channels, depthwise convolution, SE, 1×1 convolution; and the input where it fits.

    Args:
        stage: of which it is a layer.
        inputs: number of input channels, a quarter of which squeeze and excitation has.
        outputs: number of output channels.
        stride: of the depthwise convolution.
    """

    def __init__(self, stage: Stage, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        self.branch = nn.Sequential(
            *([ConvNorm(inputs, inner)] if inner != inputs else []),
            ConvNorm(inner, inner, stage.kernel, stride, groups=inner),
            *([SqueezeExcite(inner, squeezed(inputs))] if stage.excites else []),
            ConvNorm(inner, outputs, activates=False),
        )
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height / stride, width / stride), rounded up."""
        out: Tensor = self.branch(x)
        return out + x if self.adds_input else out


class AccelNetwork(nn.Module):
    """The network of seven stages.

    Args:
        stages: as :func:`harness_benchmarks.accel_nasbench.architecture.parse` returns.
        classes: number of classes.
    """

    def __init__(self, stages: Sequence[Stage], classes: int) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM, kernel=3, stride=2)
        blocks, inputs = list[nn.Module](), STEM
        for stage, outputs, stride in zip(stages, WIDTHS, STRIDES, strict=True):
            for layer in range(stage.layers):
                blocks.append(InvertedBottleneck(stage, inputs, outputs, stride if layer == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = ConvNorm(inputs, HEAD)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(HEAD, classes)
        self.apply(_initialise)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature map before global average pooling."""
        features: Tensor = self.last(self.blocks(self.stem(images)))
        return features

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """The outputs of the stem, of every layer of all stages, and of the last convolution."""
        outputs: list[Tensor] = [self.stem(images)]
        for part in (*self.blocks, self.last):
            outputs.append(part(outputs[-1]))
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        logits: Tensor = self.classifier(torch.flatten(self.pool(self.forward_features(images)), 1))
        return logits


def _initialise(module: nn.Module) -> None:
    """As the training began: He's normal with fan-out for convolutions, uniform in ±1/√classes for the classifier."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
