"""The sizes of the transformers without building them, as the proxies ``params`` and ``flops`` count.

A transformer layer of d channels and m units has :math:`4 d^2 + 2 d m + 9 d + m` parameters. For n tokens, it makes
:math:`n (4 d^2 + 2 d m)` multiply-accumulates with its weights, and :math:`2 n^2 d` of features in its attention.
"""

from __future__ import annotations

from typing import NamedTuple

from harness_benchmarks.vit_bench_101 import autoformer, pit
from harness_benchmarks.vit_bench_101.layers import PATCH

SIDE = 224
"""Height and width of an image."""


class Sizes(NamedTuple):
    """The sizes of a network or a part of it.

    Attributes:
        params: number of parameters.
        macs: multiply-accumulates of one image.
    """

    params: int
    macs: int


def sizes(architecture: autoformer.AutoFormer | pit.Pit, classes: int) -> Sizes:
    """The sizes of an architecture's network for images of 224 × 224 pixels.

    >>> sizes(autoformer.parse(autoformer.EXAMPLE), classes=100)
    Sizes(params=5100196, macs=1166363904)
    """
    if isinstance(architecture, autoformer.AutoFormer):
        return _of_autoformer(architecture, classes)
    return _of_pit(architecture, classes)


def _of_autoformer(architecture: autoformer.AutoFormer, classes: int) -> Sizes:
    width, positions = architecture.width, autoformer.GRID**2
    tokens = 1 + positions
    layers = [_layer(width, layer.hidden(width), tokens) for layer in architecture.layers]
    patches = _patches(width, positions)
    embeddings = (1 + tokens) * width
    return _sum([patches, Sizes(embeddings, 0), *layers, _head(width, classes)])


def _of_pit(architecture: pit.Pit, classes: int) -> Sizes:
    widths, side = architecture.widths, pit.GRID
    parts = [_patches(widths[0], side**2), Sizes((side**2 + 1) * widths[0], 0)]
    for number, (stage, width) in enumerate(zip(architecture.stages, widths, strict=True)):
        if number:
            before, side = widths[number - 1], (side + 1) // 2
            kernels, linear = 9 * width, before * width
            parts.append(Sizes(kernels + linear + 2 * width, kernels * side**2 + linear))
        layer = _layer(width, architecture.ratio * width, 1 + side**2)
        parts.append(Sizes(stage.layers * layer.params, stage.layers * layer.macs))
    return _sum([*parts, _head(widths[-1], classes)])


def _patches(width: int, positions: int) -> Sizes:
    weights = 3 * PATCH**2 * width
    return Sizes(weights + width, weights * positions)


def _layer(width: int, hidden: int, tokens: int) -> Sizes:
    weights = 4 * width**2 + 2 * width * hidden
    return Sizes(weights + 9 * width + hidden, tokens * weights + 2 * tokens**2 * width)


def _head(width: int, classes: int) -> Sizes:
    """The last layer norm and the classifier."""
    return Sizes(2 * width + (width + 1) * classes, width * classes)


def _sum(parts: list[Sizes]) -> Sizes:
    return Sizes(sum(part.params for part in parts), sum(part.macs for part in parts))
