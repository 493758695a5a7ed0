"""The structure strings of Zen-NAS: what they mean, how they are read, written and repaired.

A structure is a sequence of blocks without separators. A block of plain convolutions is written
``SuperConvK3BNRELU(inputs,outputs,stride,layers)``, a block of residual units
``SuperResIDWE6K7(inputs,outputs,stride,bottleneck,layers)``. Each block takes the channels that the block before gives.

Source: Lin et al., "Zen-NAS", ICCV 2021 (arXiv:2102.01063); the strings of its repository, idstcv/ZenNAS.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from harness._utils.names import unknown_name
from harness.errors import HarnessError

Kind = Literal["convolution", "basic", "bottleneck", "inverted"]

IMAGE_CHANNELS = 3
LARGEST = 999_999
"""The largest number that a structure may contain; no network of that width could be built."""

STRIDES = (1, 2)


@dataclass(frozen=True, eq=False)  # each type exists once, and blocks are hashed often
class BlockType:
    """The type of a block.

    Attributes:
        name: as written in structure strings.
        kind: what one of its layers is: a convolution, a residual unit of two convolutions, two bottleneck units, or
            two inverted bottleneck units; :mod:`harness_benchmarks.zen.network` has them all.
        kernel: size of the kernel that is not 1×1, or of the convolution.
        expansion: factor from the narrow to the wide channels of an inverted bottleneck; 1 for other kinds.
        label: a short name for drawings.
    """

    name: str
    kind: Kind
    kernel: int
    expansion: int
    label: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the numbers in parentheses."""
        plain = self.kind == "convolution"
        return ("inputs", "outputs", "stride", "layers") if plain else _RESIDUAL_ARGUMENTS


_RESIDUAL_ARGUMENTS = ("inputs", "outputs", "stride", "bottleneck", "layers")

_KERNELS = (3, 5, 7)

CONVOLUTIONS = tuple(BlockType(f"SuperConvK{k}BNRELU", "convolution", k, 1, f"conv{k}") for k in (1, *_KERNELS))
BASIC = tuple(BlockType(f"SuperResK{k}K{k}", "basic", k, 1, f"K{k}K{k}") for k in _KERNELS)
BOTTLENECK = tuple(BlockType(f"SuperResK1K{k}K1", "bottleneck", k, 1, f"K1K{k}K1") for k in _KERNELS)
INVERTED = tuple(
    BlockType(f"SuperResIDWE{e}K{k}", "inverted", k, e, f"E{e}K{k}") for k in _KERNELS for e in (1, 2, 4, 6)
)

BLOCK_TYPES = {kind.name: kind for kind in (*CONVOLUTIONS, *BASIC, *BOTTLENECK, *INVERTED)}


class Block(NamedTuple):
    """One block of a structure.

    Attributes:
        type: its type.
        inputs: number of input channels.
        outputs: number of output channels.
        stride: of its first layer; 1 or 2.
        bottleneck: number of channels between the two halves of a layer; 0 for plain convolutions.
        layers: number of layers, which the official code calls sub-layers.
    """

    type: BlockType
    inputs: int
    outputs: int
    stride: int
    bottleneck: int
    layers: int

    def __str__(self) -> str:
        """As written in structure strings."""
        if self.type.kind == "convolution":
            return f"{self.type.name}({self.inputs},{self.outputs},{self.stride},{self.layers})"
        return f"{self.type.name}({self.inputs},{self.outputs},{self.stride},{self.bottleneck},{self.layers})"

    def taking(self, inputs: int) -> Block:
        """The same block with this number of input channels."""
        return self if inputs == self.inputs else self._replace(inputs=inputs)


def parse(structure: str) -> list[Block]:
    """The blocks of a structure string.

    >>> [block.outputs for block in parse("SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,8,1)")]
    [8, 16]

    Raises:
        HarnessError: if the string is not a structure, or a block does not take the channels that come; the message
            names the block, its place, and what would be right.
    """
    blocks = parse_unchecked(structure)
    given = IMAGE_CHANNELS
    for number, block in enumerate(blocks):
        if block.inputs != given:
            source = f"block {number}, '{blocks[number - 1]}', gives {given}" if number else "images have 3"
            raise _fault(
                structure,
                number,
                f"it takes {block.inputs} channels, but {source}; '{block.taking(given)}' would fit, and "
                "harness_benchmarks.zen.repaired(STRUCTURE) adjusts every block",
            )
        given = block.outputs
    return blocks


def written(blocks: Sequence[Block]) -> str:
    """The structure string of blocks; the inverse of :func:`parse`."""
    return "".join(map(str, blocks))


def repaired(structure: str) -> str:
    """The structure with the input channels of every block set to what comes from the block before.

    The initial structure of the official latency search needs it: its last block is written with 256 input channels,
    but 512 come. The official code repairs it too, with the first mutation.

    >>> repaired("SuperConvK3BNRELU(3,8,1,1)SuperConvK1BNRELU(16,128,1,1)")
    'SuperConvK3BNRELU(3,8,1,1)SuperConvK1BNRELU(8,128,1,1)'

    Raises:
        HarnessError: if the string is wrong in another way.
    """
    return written(following(parse_unchecked(structure)))


def following(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, each taking the channels that the one before gives, and the first those of an image."""
    adjusted, given = list[Block](), IMAGE_CHANNELS
    for block in blocks:
        adjusted.append(block.taking(given))
        given = block.outputs
    return adjusted


class _FaultError(Exception):
    """What is wrong with one block."""


def parse_unchecked(structure: str) -> list[Block]:
    """The blocks as they are written, even if one does not take the channels that come.

    Raises:
        HarnessError: if the string is wrong in another way.
    """
    *texts, rest = structure.split(")")
    if rest or not texts:
        raise HarnessError(
            f"'{_shown(structure)}' is not a structure: {_ending(rest)}; a structure is blocks such as "
            "'SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,8,1)', without anything between them"
        )
    try:
        return [_block(text) for text in texts]
    except _FaultError:
        pass
    for number, text in enumerate(texts):
        try:
            _block(text)
        except _FaultError as error:
            raise _fault(structure, number, str(error)) from None
    raise AssertionError("a block that failed was read the second time")


def _ending(rest: str) -> str:
    if not rest:
        return "it is empty"
    return f"it ends with '{_shown(rest)}', which no ')' closes"


def _fault(structure: str, number: int, words: str) -> HarnessError:
    texts = structure.split(")")
    place = sum(len(text) + 1 for text in texts[:number]) + 1
    whole = "" if len(texts) == 2 else f" of '{_shown(structure)}'"
    return HarnessError(f"block {number + 1}, '{_shown(texts[number])})', at character {place}{whole}: {words}")


def _shown(text: str) -> str:
    text = text if len(text) <= 80 else f"{text[:77]}…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


@functools.lru_cache(maxsize=1 << 16)
def _block(text: str) -> Block:
    """The block of a text without its closing parenthesis.

    Raises:
        _FaultError: if it is not one.
    """
    name, opened, inside = text.partition("(")
    if not opened:
        raise _FaultError("a block is written NAME(numbers)")
    kind = BLOCK_TYPES.get(name)
    if kind is None:
        raise _FaultError(unknown_name("block", name, list(BLOCK_TYPES)))
    parts = inside.split(",")
    names = kind.arguments
    if len(parts) != len(names):
        raise _FaultError(f"it has {len(parts)} numbers; {name} has {len(names)}: {', '.join(names)}")
    numbers = dict(zip(names, map(_number, parts, names), strict=True))
    if numbers["stride"] not in STRIDES:
        raise _FaultError(f"its stride is {numbers['stride']}; it must be 1 or 2")
    return Block(kind, bottleneck=numbers.pop("bottleneck", 0), **numbers)


_POSITIVE = re.compile(r"[1-9][0-9]{0,5}")


def _number(part: str, name: str) -> int:
    if not _POSITIVE.fullmatch(part):
        counted = "bottleneck channels" if name == "bottleneck" else name
        words = "its stride" if name == "stride" else f"its number of {counted}"
        raise _FaultError(f"{words} is '{_shown(part)}'; it must be a whole number from 1 to {LARGEST:,}")
    return int(part)
