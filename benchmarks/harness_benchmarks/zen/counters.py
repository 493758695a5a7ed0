r"""The sizes of a structure's network in three conventions, without building it.

**torch's**: every entry of every parameter, and the multiply-accumulates of convolutions and linear layers, as the
proxies ``params`` and ``flops`` count.

**The official code's** (``PlainNet/basic_blocks.py`` of idstcv/ZenNAS): a batch norm of c channels counts c parameters,
but 2 c inside squeeze and excitation; the biases of projections count none and those of the classifier one. A
convolution from a to b channels in g groups counts :math:`\lfloor a b k^2 r^2 / s^2 / g \rfloor` for a map of
:math:`r^2` positions, a batch norm :math:`c r^2`, additions nothing. The projection of a shortcut divides its
resolution by the stride twice, so it counts a quarter of its operations where the stride is 2. Budgets of published
searches limit these numbers of the network with residual links and without squeeze and excitation, although the network
that is scored has no links.

**The profiler's**: the official ``analyze_model.py`` prints what the package ``ptflops`` counts, whose version 0.6.4
gives the numbers here. That is the multiply-accumulates of torch's convention, biases once per position, 2 per output
of a batch norm and, in squeeze and excitation, 1 per input of the pooling and per output of the ReLU. It does not see
the other ReLUs and the last pooling, which are functions in the official code.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from harness_benchmarks.zen.grammar import Block


class Counts(NamedTuple):
    """The sizes of one network.

    Attributes:
        params: number of parameters.
        macs: multiply-accumulates of one image in convolutions and linear layers.
        official_params: what the official ``get_model_size`` returns.
        official_flops: what the official ``get_FLOPs`` returns; a multiple of 1/4.
        layers: layers of all blocks, those of plain convolutions included; the official ``get_num_layers``.
        convolutions: number of convolutions, those of shortcuts and of squeeze and excitation included.
        profiled: operations as ptflops counts them.
    """

    params: int
    macs: int
    official_params: int
    official_flops: float
    layers: int
    convolutions: int
    profiled: int


def counts(blocks: Sequence[Block], side: int, classes: int, *, links: bool, excites: bool) -> Counts:
    """The sizes of the network of these blocks.

    Args:
        blocks: as :func:`harness_benchmarks.zen.grammar.parse` returns.
        side: height and width of an image.
        classes: number of classes.
        links: whether the network has residual links.
        excites: whether it has squeeze and excitation.
    """
    params = macs = official_params = layers = convolutions = profiled = 0
    official_flops = 0.0
    official_side = side
    for block in blocks:
        found = _block_counts(block, side, official_side, links, excites)
        params += found[0]
        macs += found[1]
        official_params += found[2]
        official_flops += found[3]
        convolutions += found[4]
        profiled += found[5]
        layers += block.layers
        if block.stride != 1:
            side, official_side = (side - 1) // block.stride + 1, official_side // block.stride
    classifier = blocks[-1].outputs * classes
    return Counts(
        params + classifier + classes,
        macs + classifier,
        official_params + classifier + 1,
        official_flops + classifier,
        layers,
        convolutions,
        profiled + classifier + classes,
    )


_Sums = tuple[int, int, int, float, int, int]
"""Parameters, multiply-accumulates, official parameters, official operations, convolutions, profiled operations."""


@functools.lru_cache(maxsize=1 << 16)
def _block_counts(block: Block, side: int, official_side: int, links: bool, excites: bool) -> _Sums:
    stride = block.stride
    first = _layer_counts(block, block.inputs, stride, side, official_side, links, excites)
    if block.layers == 1:
        return first
    if stride != 1:
        side, official_side = (side - 1) // stride + 1, official_side // stride
    later = _layer_counts(block, block.outputs, 0, side, official_side, links, excites)
    repeats = block.layers - 1
    return (
        first[0] + repeats * later[0],
        first[1] + repeats * later[1],
        first[2] + repeats * later[2],
        first[3] + repeats * later[3],
        first[4] + repeats * later[4],
        first[5] + repeats * later[5],
    )


def _layer_counts(
    block: Block, inputs: int, stride: int, side: int, official_side: int, links: bool, excites: bool
) -> _Sums:
    """The sums of one layer of a block; a stride of 0 is that of later layers, which need no projection by rule."""
    kind, kernel, narrow, outputs = block.type.kind, block.type.kernel, block.bottleneck, block.outputs
    first, stride, area = stride != 0, stride or 1, kernel * kernel
    projected = inputs if links and first else 0
    if kind == "convolution":
        return _unit(0, 0, inputs * outputs * area, outputs, 0, 0, stride, side, official_side, 0, False)
    if kind == "basic":
        middle, last = inputs * narrow * area, narrow * outputs * area
        return _unit(0, 0, middle, narrow, last, outputs, stride, side, official_side, projected, excites)
    halved = ((side - 1) // stride + 1, official_side // stride)
    if kind == "bottleneck":
        middle, last = narrow * narrow * area, narrow * outputs
        maps = (stride, side, official_side, projected, excites)
        one = _unit(inputs * narrow, narrow, middle, narrow, last, outputs, *maps)
        two = _unit(outputs * narrow, narrow, middle, narrow, last, outputs, 1, *halved, 0, excites)
    else:
        if links and inputs != narrow:
            projected = inputs
        wide = expanded(narrow, block.type.expansion)
        maps = (stride, side, official_side, projected, excites)
        one = _unit(inputs * wide, wide, wide * area, wide, wide * narrow, narrow, *maps)
        projected = narrow if links and narrow != outputs else 0
        wide = expanded(outputs, block.type.expansion)
        maps = (1, *halved, projected, excites)
        two = _unit(narrow * wide, wide, wide * area, wide, wide * outputs, outputs, *maps)
    return one[0] + two[0], one[1] + two[1], one[2] + two[2], one[3] + two[3], one[4] + two[4], one[5] + two[5]


def _unit(
    entry: int,
    entered: int,
    middle: int,
    channels: int,
    last: int,
    outputs: int,
    stride: int,
    side: int,
    official_side: int,
    projected: int,
    excited: bool,
) -> _Sums:
    """The sums of one unit: up to three convolutions, each with a batch norm, and its shortcut.

    Args:
        entry: weights of the 1×1 convolution before the stride; 0 if there is none.
        entered: its output channels.
        middle: weights of the convolution with the stride.
        channels: its output channels.
        last: weights of the convolution after it; 0 if there is none.
        outputs: its output channels.
        stride: of the middle convolution.
        side: height and width of the input, by torch.
        official_side: the same by the official code, which rounds odd sizes down.
        projected: input channels of the projection; 0 if there is none.
        excited: whether squeeze and excitation follows the middle.
    """
    before, official_before = side * side, official_side * official_side
    # The official count divides the operations by the stride, which is not the number of positions for odd sides.
    official: float = (
        entry * official_before + entered * official_before + middle * official_before // (stride * stride)
    )
    if stride != 1:
        side, official_side = (side - 1) // stride + 1, official_side // stride
    after, official_after = side * side, official_side * official_side
    norms = entered + channels + outputs
    params = entry + middle + last + 2 * norms
    official_params = entry + middle + last + norms
    macs = entry * before + (middle + last) * after
    official += (channels + last + outputs) * official_after
    convolutions = (entry > 0) + 1 + (last > 0)
    beyond = 2 * (entered * before + (channels + outputs) * after)
    if excited:
        squeeze = squeezed(channels)
        gate = 2 * channels * squeeze
        params += gate + 2 * (squeeze + channels)
        official_params += gate + 2 * (squeeze + channels)
        macs += gate
        official += gate + channels + channels * official_after
        convolutions += 2
        beyond += 3 * squeeze + 2 * channels + channels * after
    if projected:
        weights = projected * outputs
        params += weights + 3 * outputs
        official_params += weights + outputs
        macs += weights * after
        # Divided by the stride once more, as in the official code.
        official += (weights + outputs) * (official_side / stride) ** 2
        convolutions += 1
        beyond += 3 * outputs * after
    return params, macs, official_params, official, convolutions, macs + beyond


def expanded(channels: int, expansion: int) -> int:
    """The wide channels of an inverted bottleneck: a multiple of 8, 8 at least.

    >>> expanded(40, 6), expanded(12, 1)
    (240, 16)
    """
    return max(8, round(channels * expansion / 8) * 8)


def squeezed(channels: int) -> int:
    """The channels between the two convolutions of squeeze and excitation: a quarter, 1 at least.

    >>> squeezed(40), squeezed(2)
    (10, 1)
    """
    return max(1, round(channels / 4))
