"""The sizes of a network without building it, in two conventions.

**torch's**: every entry of every parameter, and the multiply-accumulates of convolutions and of the classifier, as the
proxies ``params`` and ``flops`` count.

**The stored one**: the published data hold what the package ``thop`` 0.1.1 counts at 224 × 224 (``profile_model`` in
``train_nmodels_proxified.py`` of afzalxo/ANB-DatasetCollection at commit 08a6baa). To the multiply-accumulates it adds
4 for each output of a batch norm and, for each channel of a global average pooling, the number of its positions and 1.
The sum is the stored number of all 5,138 rows, to the last operation.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from harness_benchmarks.accel_nasbench.architecture import STRIDES, WIDTHS, Stage, parse

STEM = 32
"""Output channels of the first convolution, 3×3 with a stride of 2."""

HEAD = 4 * WIDTHS[-1]
"""Output channels of the last convolution, 1×1."""


class Sizes(NamedTuple):
    """The sizes of a network or a part of it.

    Attributes:
        params: number of parameters.
        macs: multiply-accumulates of one image in convolutions and linear layers.
        stored: operations of one image as the published data count them.
    """

    params: int
    macs: int
    stored: int


def sizes(architecture: str, side: int, classes: int) -> Sizes:
    """The sizes of an architecture's network.

    >>> sizes("e6k3l1-e4k5l2-e6k3l3-e6k5l3-e6k5l2-e1k3l2-e1k3l2", side=224, classes=1000)
    Sizes(params=2501160, macs=375723888, stored=415361072)

    Args:
        architecture: the architecture.
        side: height and width of an image.
        classes: number of classes.

    Raises:
        HarnessError: if it is not an architecture.
    """
    side = _halved(side)
    parts = [_convolution(27 * STEM, STEM, side)]
    for number, stage in enumerate(parse(architecture)):
        parts.append(_stage(stage, number, side))
        side = _halved(side) if STRIDES[number] == 2 else side
    parts += [_convolution(WIDTHS[-1] * HEAD, HEAD, side), _pooling(HEAD, side)]
    parts.append(Sizes((HEAD + 1) * classes, HEAD * classes, HEAD * classes))
    return _sum(parts)


@functools.lru_cache(maxsize=1 << 12)
def _stage(stage: Stage, number: int, side: int) -> Sizes:
    """The sizes of a stage, counted from 0, whose input has this height and width."""
    inputs, outputs = (STEM, *WIDTHS)[number], WIDTHS[number]
    parts = list[Sizes]()
    for layer in range(stage.layers):
        inner, stride = inputs * stage.expansion, STRIDES[number] if layer == 0 else 1
        if inner != inputs:
            parts.append(_convolution(inputs * inner, inner, side))
        side = _halved(side) if stride == 2 else side
        parts.append(_convolution(stage.kernel**2 * inner, inner, side))
        if stage.excites:
            weights = 2 * inner * squeezed(inputs)
            parts += [_pooling(inner, side), Sizes(weights + inner + squeezed(inputs), weights, weights)]
        parts.append(_convolution(inner * outputs, outputs, side))
        inputs = outputs
    return _sum(parts)


def squeezed(inputs: int) -> int:
    """The channels between the two convolutions of squeeze and excitation in a layer with these input channels."""
    return inputs // 4


def _convolution(weights: int, outputs: int, side: int) -> Sizes:
    """A convolution without bias and its batch norm."""
    macs = weights * side * side
    return Sizes(weights + 2 * outputs, macs, macs + 4 * outputs * side * side)


def _pooling(channels: int, side: int) -> Sizes:
    return Sizes(0, 0, channels * (side * side + 1))


def _halved(side: int) -> int:
    return (side + 1) // 2


def _sum(parts: list[Sizes]) -> Sizes:
    return Sizes(*(sum(column) for column in zip(*parts, strict=True)))
