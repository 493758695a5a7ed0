"""The architectures of the PiT space: what they are, how they are written, and what may change.

A network has three stages of transformer layers. ``b16-r6-d2h2-d8h4-d4h4`` is 16 channels for each head, 6 units in the
perceptrons for each channel, then for each stage its number of layers and of heads. So its stages have 32, 64 and 64
channels. The number of heads may only stay or grow, because the pooling between two stages multiplies channels by whole
numbers. This leaves 4,320 architectures.

Source: Heo et al., "Rethinking Spatial Dimensions of Vision Transformers", ICCV 2021 (arXiv:2103.16302); the ranges are
those of lilujunai/Auto-Prox-AAAI24 at commit 90ed458 (``PIT_SEARCH_SPACE`` in ``pycls/core/config.py``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.contracts.dialect import Dialect
from harness.errors import HarnessError
from harness_benchmarks.vit_bench_101.texts import fields_of, shown

BASES = (16, 24, 32, 40)
RATIOS = (2, 4, 6, 8)
DEPTHS = ((1, 2, 3), (4, 6, 8), (2, 4, 6))
HEADS = (2, 4, 8)
STRIDE = 8
"""Of the patches, which are twice as large."""

GRID = 27
"""Patches in a row of an image."""

EXAMPLE = "b16-r2-d1h2-d4h2-d2h2"
_STAGE = re.compile(r"d(\d)h(\d)")


class Stage(NamedTuple):
    """One stage.

    Attributes:
        layers: number of layers.
        heads: number of heads of each layer.
    """

    layers: int
    heads: int

    def __str__(self) -> str:
        """As written in architectures."""
        return f"d{self.layers}h{self.heads}"


class Pit(NamedTuple):
    """An architecture.

    Attributes:
        base: channels for each head.
        ratio: units of the perceptrons for each channel.
        stages: from input to output.
    """

    base: int
    ratio: int
    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        """As written; the inverse of :func:`parse`."""
        return "-".join([f"b{self.base}", f"r{self.ratio}", *map(str, self.stages)])

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage."""
        return tuple(self.base * stage.heads for stage in self.stages)


HEADS_OF_STAGES = tuple(each for each in itertools.product(HEADS, repeat=len(DEPTHS)) if list(each) == sorted(each))
"""The numbers of heads of the stages, together: none has fewer than the one before."""

CHOICES: tuple[tuple[str, ...], ...] = (
    tuple(map(str, BASES)),
    tuple(map(str, RATIOS)),
    *(tuple(map(str, depths)) for depths in DEPTHS),
    tuple("/".join(map(str, heads)) for heads in HEADS_OF_STAGES),
)
"""What each place of an architecture may hold: base, ratio, the three depths, and the heads of all stages."""


def parse(architecture: str) -> Pit:
    """The architecture of a text.

    >>> parse("b16-r6-d2h2-d8h4-d4h4").widths
    (32, 64, 64)

    Raises:
        HarnessError: if it is none; the message names the place and what would be right.
    """
    parts = architecture.split("-")
    if len(parts) != 2 + len(DEPTHS):
        raise HarnessError(
            f"'{shown(architecture)}' is not an architecture of vit-bench-101-pit; one is a base, a ratio and three "
            f"stages with hyphens between them, such as '{EXAMPLE}'"
        )
    for text, letter, known, words in zip(parts, "br", (BASES, RATIOS), ("base", "ratio"), strict=False):
        if text not in {f"{letter}{value}" for value in known}:
            choices = ", ".join(f"{letter}{value}" for value in known)
            raise HarnessError(f"the {words} of '{shown(architecture)}' is '{shown(text)}'; known: {choices}")
    stages = tuple(_stage(text, number) for number, text in enumerate(parts[2:]))
    heads = tuple(stage.heads for stage in stages)
    if heads not in HEADS_OF_STAGES:
        raise HarnessError(
            f"the stages of '{shown(architecture)}' have {', '.join(map(str, heads))} heads; no stage may have fewer "
            "than the one before"
        )
    return Pit(int(parts[0][1:]), int(parts[1][1:]), stages)


def _stage(text: str, number: int) -> Stage:
    found = _STAGE.fullmatch(text)
    stage = Stage(int(found[1]), int(found[2])) if found else None
    if stage is None or stage.layers not in DEPTHS[number] or stage.heads not in HEADS:
        layers, heads = (", ".join(map(str, values)) for values in (DEPTHS[number], HEADS))
        raise HarnessError(
            f"stage {number + 1} is '{shown(text)}'; it is 'd' and its number of layers ({layers}), 'h' and its number "
            f"of heads ({heads}), such as '{Stage(DEPTHS[number][0], HEADS[0])}'"
        )
    return stage


def places(architecture: Pit) -> tuple[str, ...]:
    """What each place holds; see :data:`CHOICES`."""
    heads = "/".join(str(stage.heads) for stage in architecture.stages)
    return (str(architecture.base), str(architecture.ratio), *(str(s.layers) for s in architecture.stages), heads)


def of_places(given: Sequence[str]) -> Pit:
    """The inverse of :func:`places`."""
    base, ratio, *depths, heads = given
    stages = zip(map(int, depths), map(int, heads.split("/")), strict=True)
    return Pit(int(base), int(ratio), tuple(itertools.starmap(Stage, stages)))


def features(architecture: Pit) -> dict[str, float]:
    """Base, ratio, and the depths and widths of the stages."""
    stages, widths = architecture.stages, architecture.widths
    return {
        "base": architecture.base,
        "MLP ratio": architecture.ratio,
        **{f"layers of stage {number}": stage.layers for number, stage in enumerate(stages, start=1)},
        **{f"width of stage {number}": width for number, width in enumerate(widths, start=1)},
        "layers": sum(stage.layers for stage in stages),
    }


def of_fields(text: str) -> str | None:
    """The architecture of the published records, ``{'base_dim': 16, 'mlp_ratio': 6, …}``; None for other texts."""
    fields = fields_of(text)
    if not {"base_dim", "mlp_ratio", "depth", "num_heads"} <= fields.keys():
        return None
    bases, ratios, depths, heads = (fields[name] for name in ("base_dim", "mlp_ratio", "depth", "num_heads"))
    if (len(bases), len(ratios), len(depths), len(heads)) != (1, 1, len(DEPTHS), len(DEPTHS)):
        return None
    stages = tuple(Stage(int(layers), int(each)) for layers, each in zip(depths, heads, strict=True))
    try:
        return str(parse(str(Pit(int(bases[0]), int(ratios[0]), stages))))
    except HarnessError:
        return None


DIALECT = Dialect(
    "dictionaries of Auto-Prox",
    of_fields,
    "{'base_dim': 16, 'mlp_ratio': 6, 'depth': [2, 8, 4], 'num_heads': [2, 4, 4]}",
)
