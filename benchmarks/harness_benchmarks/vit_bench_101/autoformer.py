"""The architectures of the AutoFormer-Ti space: what they are, how they are written, and how they change.

A network has 12 to 14 layers of one width. Each has its own number of heads, and its own factor from the width to the
units of its perceptron. ``e192-h4r3.5-h3r4-…`` is a width of 192, then for each layer its heads and its factor. All
heads of a layer together are as wide as the tokens, so that the number of heads changes what is computed, but neither
#Params nor #FLOPs.

Source: Chen et al., "AutoFormer", ICCV 2021 (arXiv:2107.00651), AutoFormer-tiny; the ranges and the width of the heads
are those of lilujunai/Auto-Prox-AAAI24 at commit 90ed458 (``AUTOFORMER_SEARCH_SPACE`` in ``pycls/core/config.py``).
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from harness.contracts.dialect import Dialect
from harness.errors import HarnessError
from harness_benchmarks.vit_bench_101.texts import fields_of, shown

if TYPE_CHECKING:
    import numpy as np

WIDTHS = (192, 216, 240)
HEADS = (3, 4)
RATIOS = (3.5, 4.0)
DEPTHS = (12, 13, 14)
GRID = 14
"""Patches in a row of an image."""

EXAMPLE = "e192-" + "-".join(["h3r3.5"] * 12)
_LAYER = re.compile(r"h(\d)r(\d(?:\.\d)?)")


class Layer(NamedTuple):
    """One layer.

    Attributes:
        heads: number of heads.
        ratio: units of the perceptron for each channel.
    """

    heads: int
    ratio: float

    def __str__(self) -> str:
        """As written in architectures."""
        return f"h{self.heads}r{self.ratio:g}"

    def hidden(self, width: int) -> int:
        """Units of the perceptron."""
        return int(width * self.ratio)


class AutoFormer(NamedTuple):
    """An architecture.

    Attributes:
        width: channels of every token.
        layers: from input to output.
    """

    width: int
    layers: tuple[Layer, ...]

    def __str__(self) -> str:
        """As written; the inverse of :func:`parse`."""
        return "-".join([f"e{self.width}", *map(str, self.layers)])


KINDS = tuple(itertools.starmap(Layer, itertools.product(HEADS, RATIOS)))
"""Every layer there is."""


def parse(architecture: str) -> AutoFormer:
    """The architecture of a text.

    >>> parse(EXAMPLE).layers[0]
    Layer(heads=3, ratio=3.5)

    Raises:
        HarnessError: if it is none; the message names the place and what would be right.
    """
    first, *texts = architecture.split("-")
    known = [f"e{width}" for width in WIDTHS]
    if first not in known:
        raise HarnessError(
            f"'{shown(architecture)}' is not an architecture of vit-bench-101-autoformer; it begins with its width "
            f"({', '.join(known)}), then come its layers, such as '{EXAMPLE}'"
        )
    if len(texts) not in DEPTHS:
        raise HarnessError(f"'{shown(architecture)}' has {len(texts)} layers; it must have {DEPTHS[0]} to {DEPTHS[-1]}")
    return AutoFormer(int(first[1:]), tuple(_layer(text, number) for number, text in enumerate(texts, start=1)))


def _layer(text: str, number: int) -> Layer:
    found = _LAYER.fullmatch(text)
    layer = Layer(int(found[1]), float(found[2])) if found else None
    if layer not in KINDS or str(layer) != text:
        raise HarnessError(f"layer {number} is '{shown(text)}'; known: {', '.join(map(str, KINDS))}")
    return layer


def neighbours(architecture: AutoFormer) -> list[AutoFormer]:
    """Those with another width, with other heads or another ratio in one layer, or with one layer less or more.

    Layers are removed and added at the end.
    """
    width, layers = architecture
    found = [AutoFormer(other, layers) for other in WIDTHS if other != width]
    for place, layer in enumerate(layers):
        one_off = (kind for kind in KINDS if (kind.heads != layer.heads) != (kind.ratio != layer.ratio))
        found += [AutoFormer(width, (*layers[:place], kind, *layers[place + 1 :])) for kind in one_off]
    if len(layers) > DEPTHS[0]:
        found.append(AutoFormer(width, layers[:-1]))
    if len(layers) < DEPTHS[-1]:
        found += [AutoFormer(width, (*layers, kind)) for kind in KINDS]
    return found


def random(generator: np.random.Generator) -> AutoFormer:
    """An architecture drawn uniformly, so that 16 of 21 have 14 layers; the supernet's training draws depths evenly."""
    counts = list(itertools.accumulate(len(KINDS) ** depth for depth in DEPTHS))
    drawn = int(generator.integers(counts[-1]))
    depth = next(depth for depth, count in zip(DEPTHS, counts, strict=True) if drawn < count)
    kinds = generator.integers(len(KINDS), size=depth)
    return AutoFormer(WIDTHS[int(generator.integers(len(WIDTHS)))], tuple(KINDS[kind] for kind in kinds))


def crossover(first: AutoFormer, second: AutoFormer, generator: np.random.Generator) -> AutoFormer:
    """Width, depth and each layer of either parent; a layer that only one of them has is that one's."""
    takes = generator.integers(2, size=2 + DEPTHS[-1])
    parents = (first, second)
    depth = len(parents[takes[1]].layers)
    layers = list[Layer]()
    for place in range(depth):
        having = [parent.layers[place] for parent in parents if place < len(parent.layers)]
        layers.append(having[takes[2 + place] % len(having)])
    return AutoFormer(parents[takes[0]].width, tuple(layers))


def features(architecture: AutoFormer) -> dict[str, float]:
    """Width and depth, and means over the layers."""
    width, layers = architecture
    return {
        "width": width,
        "layers": len(layers),
        "mean heads": sum(layer.heads for layer in layers) / len(layers),
        "mean MLP ratio": sum(layer.ratio for layer in layers) / len(layers),
        "MLP units": sum(layer.hidden(width) for layer in layers),
    }


def of_fields(text: str) -> str | None:
    """The architecture of the published records, ``{'hidden_dim': 192, 'mlp_ratio': […], …}``; None for other texts."""
    fields = fields_of(text)
    if not {"hidden_dim", "mlp_ratio", "depth", "num_heads"} <= fields.keys():
        return None
    ratios, heads = fields["mlp_ratio"], fields["num_heads"]
    if len(ratios) != len(heads) or fields["depth"] != [len(heads)] or len(fields["hidden_dim"]) != 1:
        return None
    layers = (Layer(int(h), r) for h, r in zip(heads, ratios, strict=True))
    written = str(AutoFormer(int(fields["hidden_dim"][0]), tuple(layers)))
    try:
        return str(parse(written))
    except HarnessError:
        return None


DIALECT = Dialect(
    "dictionaries of Auto-Prox",
    of_fields,
    "{'hidden_dim': 192, 'mlp_ratio': [3.5, …], 'depth': 12, 'num_heads': [4, …]}",
)
