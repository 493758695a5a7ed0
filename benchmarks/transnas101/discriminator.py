"""The discriminator, which the tasks autoencoder and normal train beside the network.

It judges pairs of images during training and takes part in no forward pass of the network, so a network is built
without it, and published sizes do not count its 5,168,705 parameters. The generator's loss is that of the image plus
the discriminator's verdict, so a loss at initialisation that has both parts needs one. Its convolutions are a module of
their own rather than ``nn.Conv2d``, so that no proxy takes them for layers of the network it stands beside.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LAYERS = ((64, 5, 4), (128, 5, 4), (256, 5, 4), (256, 3, 1), (512, 3, 1), (512, 3, 1))
"""The channels, the kernel and the stride of each layer but the last."""


class SpectrallyNormalisedConvolution(nn.Module):
    r"""A convolution with bias whose weight is divided by its largest singular value.

    The weight is taken as a matrix W with a row for each output channel. In training mode every call makes one step of
    power iteration, :math:`v \leftarrow W^\top u / \lVert W^\top u \rVert, u \leftarrow W v / \lVert W v \rVert`, and
    the estimate is :math:`u^\top W v`; u and v are taken as constants by the gradient (Miyato et al., "Spectral
    Normalization for Generative Adversarial Networks", ICLR 2018, algorithm 1). Weight and bias are initialised as
    PyTorch initialises a convolution's.

    Args:
        inputs: the channels that come in.
        outputs: the channels that go out.
        kernel: its height and width.
        stride: of the convolution.
    """

    left: Tensor
    right: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.padding = kernel // 2
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        fan_in = inputs * kernel * kernel
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        nn.init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
        self.register_buffer("left", nn.functional.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("right", nn.functional.normalize(torch.randn(fan_in), dim=0))

    def largest_singular_value(self) -> Tensor:
        """The estimate, a scalar; in training mode after one more step of power iteration."""
        matrix = self.weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self.right = nn.functional.normalize(matrix.T @ self.left, dim=0)
                self.left = nn.functional.normalize(matrix @ self.right, dim=0)
        estimate: Tensor = self.left @ matrix @ self.right
        return estimate

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, ⌈height / stride⌉, ⌈width / stride⌉)."""
        weight = self.weight / self.largest_singular_value()
        return nn.functional.conv2d(x, weight, self.bias, self.stride, self.padding)


class Discriminator(nn.Module):
    """Tells whether the second image of a pair is the true one for the first: a logit for each pair."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width = 6
        for outputs, kernel, stride in LAYERS:
            blocks += [SpectrallyNormalisedConvolution(width, outputs, kernel, stride), nn.LeakyReLU(0.2)]
            width = outputs
        self.blocks = nn.Sequential(*blocks, SpectrallyNormalisedConvolution(width, 1, 3, 1))

    def forward(self, pairs: Tensor) -> Tensor:
        """Pairs of images one over the other, (batch, 6, height, width), to logits, (batch,)."""
        verdicts: Tensor = self.blocks(pairs)
        return verdicts.mean(dim=(1, 2, 3))
