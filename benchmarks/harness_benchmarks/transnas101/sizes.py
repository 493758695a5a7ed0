"""The sizes of the networks without building them: parameters, and multiply-accumulate operations.

Both are sums over the layers with weights. With :math:`a` input channels, :math:`b` output channels and a kernel of
size :math:`k`, a layer has :math:`k^2 a b` weights and uses each of them once per position. It also has :math:`2 b`
parameters if it has a batch norm, and :math:`b` if it has biases.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness_benchmarks.nb201.topology import EDGES, Cell
from harness_benchmarks.transnas101.codes import Code, parse_code
from harness_benchmarks.transnas101.decoder_layers import generator_layers, segmentation_layers
from harness_benchmarks.transnas101.skeleton import STEM_WIDTHS, CellShape, cell_shapes, halvings, output_width
from harness_benchmarks.transnas101.tasks import TILES, Head, head_of


class LayerSize(NamedTuple):
    """The size of one layer.

    Attributes:
        weights: the number of entries of its weight.
        others: the number of its biases, and of the scales and shifts of its batch norm.
        level: how many times the image is halved for the map on which each weight is used once per position; None for
            a linear layer, which uses each weight once.
    """

    weights: int
    others: int
    level: int | None


def parameter_counts(architectures: Sequence[str], task: str, classes: int | None = None) -> NDArray[np.int64]:
    r"""Each network's number of parameters, int64, (len(architectures),).

    The stem has 19,488 parameters. A residual block from a to b channels has :math:`9 a b + 9 b^2 + 4 b`, and
    :math:`a b + 2 b` more if it changes channels or resolution. Each edge of a micro cell from a to b channels, even a
    dead one, has :math:`9 a b + 2 b` for a 3×3 convolution, and :math:`a b + 2 b` for a 1×1 convolution or a skip
    connection that halves the resolution. With C channels of the feature map and K classes, the head of a classifier
    has :math:`(C + 1) K`, of the jigsaw :math:`(9 C + 1) K`, of the segmentation :math:`9216 C + 6300672 + 289 K`, and
    of autoencoder and normal :math:`9216 C + 18153267`. The discriminator is not counted.

    >>> parameter_counts(["64-41414-1_02_333", "64-1234-basic"], "class_scene")
    array([22544719,  3412303])

    Raises:
        HarnessError: if an architecture is not an official code, or the task has no classes.
        UnknownNameError: if the task does not exist.
    """
    head = head_of(task, classes)
    counts = [_backbone_parameters(architecture) for architecture in architectures]
    heads = {modules: _parameters(_head_layers(modules, head)) for modules in {modules for modules, _ in counts}}
    return np.array([backbone + heads[modules] for modules, backbone in counts], dtype=np.int64)


def multiply_accumulates(architecture: str, task: str, side: int) -> int:
    """Multiply-accumulate operations of one forward pass, in convolutions and linear layers.

    Transposed convolutions are counted, and all nine tiles of a jigsaw; batch norms, activations, additions, poolings
    and biases are not. (Published numbers differ: they omit transposed convolutions, count one tile, and add 2 per
    output value of a batch norm, 1 per output value of a ReLU, a leaky ReLU or a convolution with bias, and
    C (h + 1)(w + 1) for pooling C maps of h×w.)

    Args:
        architecture: the official code.
        task: one of :data:`harness_benchmarks.transnas101.tasks.TASKS`.
        side: the height and width of the image, or of one tile, a multiple of the total stride.

    >>> multiply_accumulates("64-1234-basic", "class_scene", side=256)
    3998756608

    Raises:
        HarnessError: if the total stride does not divide the side, or the architecture is not an official code.
        UnknownNameError: if the task does not exist.
    """
    code, head = parse_code(architecture), head_of(task)
    stride = 2 ** halvings(code.modules)
    if side < 1 or side % stride:
        raise HarnessError(f"the total stride of '{architecture}' is {stride}, which does not divide a side of {side}")
    tiles = TILES if head.kind == "jigsaw" else 1
    backbone = _multiply_accumulates(_backbone_layers(code), side)
    return tiles * backbone + _multiply_accumulates(_head_layers(code.modules, head), side)


def _parameters(layers: Iterator[LayerSize]) -> int:
    return sum(layer.weights + layer.others for layer in layers)


def _multiply_accumulates(layers: Iterator[LayerSize], side: int) -> int:
    return sum(weights if level is None else weights * (side >> level) ** 2 for weights, _, level in layers)


@functools.cache
def _backbone_parameters(architecture: str) -> tuple[str, int]:
    """The modules of an architecture, and the parameters of its backbone, which all tasks share."""
    code = parse_code(architecture)
    return code.modules, _parameters(_backbone_layers(code))


def _backbone_layers(code: Code) -> Iterator[LayerSize]:
    level = 0
    for inputs, outputs in itertools.pairwise((3, *STEM_WIDTHS)):
        level += 1
        yield LayerSize(9 * inputs * outputs, 2 * outputs, level)
    for shape in cell_shapes(code.modules):
        level += shape.stride - 1
        yield from _block_layers(shape, level) if code.cell is None else _cell_layers(code.cell, shape, level)


def _block_layers(shape: CellShape, level: int) -> Iterator[LayerSize]:
    a, b = shape.inputs, shape.outputs
    yield LayerSize(9 * a * b, 2 * b, level)
    yield LayerSize(9 * b * b, 2 * b, level)
    if shape.stride != 1 or a != b:
        yield LayerSize(a * b, 2 * b, level)


def _cell_layers(cell: Cell, shape: CellShape, level: int) -> Iterator[LayerSize]:
    b = shape.outputs
    for name, (source, _) in zip(cell, EDGES, strict=True):
        a = shape.inputs if source == 0 else b
        halving_skip = name == "skip_connect" and source == 0 and shape.stride == 2
        if name == "nor_conv_3x3":
            yield LayerSize(9 * a * b, 2 * b, level)
        elif name == "nor_conv_1x1" or halving_skip:
            yield LayerSize(a * b, 2 * b, level)


def _head_layers(modules: str, head: Head) -> Iterator[LayerSize]:
    width, level = output_width(modules), halvings(modules)
    match head.kind:
        case "classifier":
            yield LayerSize(width * head.outputs, head.outputs, None)
        case "jigsaw":
            yield LayerSize(TILES * width * head.outputs, head.outputs, None)
        case "segmentation":
            yield from _decoder_layers(width, segmentation_layers(level), head.outputs, level)
        case "generator":
            yield from _decoder_layers(width, generator_layers(level), head.outputs, level)


def _decoder_layers(inputs: int, layers: list[tuple[int, bool]], outputs: int, level: int) -> Iterator[LayerSize]:
    for width, doubles in layers:
        # A transposed convolution uses each weight once per position of its input, so the level is the input's.
        yield LayerSize(9 * inputs * width, 3 * width, level)
        inputs, level = width, level - doubles
    yield LayerSize(9 * inputs * outputs, outputs, level)
