"""Zen-NAS's mutation of a structure, with its own uneven weights of block types or with equal ones.

A block is drawn uniformly, and one of its replacements uniformly from a list: the Cartesian product of block types,
output channels, bottleneck channels and numbers of layers. Channels are the old ones times 2.5, 2, 1.5, 1.25, 1,
1/1.25, 1/1.5, 1/2 or 1/2.5, rounded to a multiple of 8, at least 8; the number of layers changes by at most 2. The
stride stays. A convolution changes only its channels. Then each block takes the channels that come, and a block of six
layers or more is split in two.

The official list grows while copies of it are collected, so it holds the types that come first more often: the types of
the mobile space, E1K3 to E6K7, in the proportions 12, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, and kernels of 3, 5 and 7 of
the space of ResNets in the proportions 3, 3, 2. No paper mentions it, and every search built on this code has it.

Source: idstcv/ZenNAS, ``evolution_search.py`` and ``SearchSpace/``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness._utils.names import unknown_name
from harness.errors import HarnessError, UnknownNameError
from harness_benchmarks.zen.grammar import (
    BASIC,
    BOTTLENECK,
    INVERTED,
    LARGEST,
    Block,
    BlockType,
    following,
    parse,
    written,
)

if TYPE_CHECKING:
    import numpy as np

OFFICIAL, UNIFORM = "official", "uniform"
MOVES = (OFFICIAL, UNIFORM)

FACTORS = (2.5, 2, 1.5, 1.25)
"""What channels are multiplied with or divided by, besides 1."""

ROUNDED_TO = 8
SPLIT_AT = 6
"""A block of so many layers becomes two: half as many, and the rest."""


@dataclass(frozen=True, eq=False)
class Family:
    """The blocks of one space and their mutations.

    Attributes:
        name: of the space, for messages.
        types: the types of blocks besides convolutions.
        drawn: for each of :data:`MOVES`, the types as often as they are in the list that is drawn from.
        most_channels: the most channels that a mutation gives.
        changes_pointwise: whether 1×1 convolutions are mutated.
    """

    name: str
    types: tuple[BlockType, ...]
    drawn: Mapping[str, tuple[BlockType, ...]]
    most_channels: int
    changes_pointwise: bool


def _growing(types: Sequence[BlockType]) -> tuple[BlockType, ...]:
    """The types as often as the official list has them: the copies grow until the next one is made."""
    copies = [types[: min(place + 2, len(types))] for place in range(len(types))]
    return tuple(kind for copy in copies for kind in copy)


RESNET = Family(
    "zen-resnet",
    (*BOTTLENECK, *BASIC),
    {OFFICIAL: _growing(BOTTLENECK) + _growing(BASIC), UNIFORM: (*BOTTLENECK, *BASIC)},
    most_channels=2048,
    changes_pointwise=True,
)
MOBILE = Family(
    "zen-mobile",
    INVERTED,
    {OFFICIAL: _growing(INVERTED), UNIFORM: INVERTED},
    most_channels=LARGEST // ROUNDED_TO * ROUNDED_TO,  # the official space has no limit but its budgets
    changes_pointwise=False,
)


def parse_of(family: Family, structure: str) -> list[Block]:
    """The blocks of a structure of this family.

    Raises:
        HarnessError: if it is not a structure, or has a block of the other family.
    """
    blocks = parse(structure)
    for number, block in enumerate(blocks, start=1):
        if block.type.kind != "convolution" and block.type not in family.types:
            known = ", ".join(kind.name for kind in family.types)
            raise HarnessError(f"block {number}, '{block}', does not belong to {family.name}; its blocks are {known}")
    return blocks


def mutate(
    structure: str,
    family: Family,
    generator: np.random.Generator,
    mutations: int = 1,
    moves: str | None = None,
) -> str:
    """A structure that differs from the given one in at most this many blocks, besides followers and splits.

    Args:
        structure: the parent.
        family: of its blocks.
        generator: of all random choices.
        mutations: number of times that a block is drawn; a block that is drawn twice is mutated once.
        moves: one of :data:`MOVES`; default: the first.

    Raises:
        HarnessError: if the structure is not one of this family.
        UnknownNameError: if there are no such moves.
    """
    moves = OFFICIAL if moves is None else moves
    if moves not in family.drawn:
        raise UnknownNameError(unknown_name(f"moves of {family.name}", moves, MOVES))
    blocks = parse_of(family, structure)
    changed = set[int]()
    for _ in range(mutations):
        place = int(generator.integers(len(blocks)))
        if place not in changed:
            changed.add(place)
            blocks[place] = _replacement(blocks[place], family, generator, moves)
    return written(split(following(blocks)))


def split(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, those of :data:`SPLIT_AT` layers or more in parts: three layers, and the rest without a stride.

    >>> written(split(parse("SuperResK3K3(3,16,2,8,7)")))
    'SuperResK3K3(3,16,2,8,3)SuperResK3K3(16,16,1,8,4)'
    """
    parts = list[Block]()
    for block in blocks:
        rest = block
        while rest.layers >= SPLIT_AT and rest.type.kind != "convolution":
            parts.append(rest._replace(layers=SPLIT_AT // 2))
            rest = rest._replace(inputs=rest.outputs, stride=1, layers=rest.layers - SPLIT_AT // 2)
        parts.append(rest)
    return parts


@functools.cache
def channel_choices(channels: int, most: int) -> tuple[int, ...]:
    """The distinct numbers of channels that a mutation may give, the most first.

    >>> channel_choices(40, 2048)
    (96, 80, 64, 48, 40, 32, 24, 16)
    """
    wanted = [channels * factor for factor in (*FACTORS, 1)] + [channels / factor for factor in FACTORS]
    return tuple(sorted({max(1, round(min(most, x) / ROUNDED_TO)) * ROUNDED_TO for x in wanted}, reverse=True))


def _replacement(block: Block, family: Family, generator: np.random.Generator, moves: str) -> Block:
    outputs = channel_choices(block.outputs, family.most_channels)
    if block.type.kind == "convolution":
        if block.type.kernel == 1 and not family.changes_pointwise:
            return block._replace(layers=1)
        return block._replace(outputs=outputs[int(generator.integers(len(outputs)))], layers=1)
    types = family.drawn[moves]
    narrow = channel_choices(block.bottleneck, family.most_channels)
    fewest = max(1, block.layers - 2)
    depths = block.layers + 3 - fewest
    # One number for all four choices: each combination is equally likely, and drawing is the slowest step.
    drawn = int(generator.integers(len(types) * len(outputs) * len(narrow) * depths))
    drawn, kind = divmod(drawn, len(types))
    drawn, out = divmod(drawn, len(outputs))
    deeper, inner = divmod(drawn, len(narrow))
    return Block(types[kind], block.inputs, outputs[out], block.stride, narrow[inner], fewest + deeper)
