"""The architectures of Accel-NASBench: what they are, and how they are written.

A network has seven stages of inverted bottlenecks. All layers of a stage have the same expansion, kernel and squeeze
and excitation (SE). The architecture ``e1k3l1se-e6k3l2-…`` says so for each stage: expansion 1, kernel 3, one layer,
with SE; then expansion 6, kernel 3, two layers, without. Widths and strides are fixed.

Source: Ahmad et al., "Accel-NASBench", DAC 2024 (arXiv:2404.08005), appendix B; the repository afzalxo/Accel-NASBench
at commit 4260357, ``configurationspaces/configuration_space_writer.py``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.contracts.dialect import Dialect
from harness.errors import HarnessError

WIDTHS = (16, 24, 40, 80, 112, 192, 320)
"""Output channels of each stage."""

STRIDES = (1, 2, 2, 2, 1, 2, 1)
"""Stride of each stage's first layer."""

STAGES = len(WIDTHS)
EXPANSIONS = (1, 4, 6)
KERNELS = (3, 5)
LAYERS = tuple((1, 2, 3, 4) if stage == 5 else (1, 2, 3) for stage in range(STAGES))
"""The numbers of layers that each stage may have; the sixth, counted from 1, may have four."""

EXAMPLE = "e1k3l1se-e6k3l2se-e6k5l2se-e6k3l3se-e6k5l3se-e6k5l4se-e6k3l1se"
"""EfficientNet-B0, but for its activation functions."""

SPACE = 36 ** (STAGES - 1) * 48
"""Number of architectures."""

_STAGE = re.compile(r"e(\d)k(\d)l(\d)(se)?")


class Stage(NamedTuple):
    """One stage of an architecture.

    Attributes:
        expansion: factor from the input channels of a layer to its inner ones.
        kernel: size of the depthwise kernels.
        layers: number of layers.
        excites: whether its layers have squeeze and excitation.
    """

    expansion: int
    kernel: int
    layers: int
    excites: bool

    def __str__(self) -> str:
        """As written in architectures."""
        return f"e{self.expansion}k{self.kernel}l{self.layers}{'se' if self.excites else ''}"


def parse(architecture: str) -> tuple[Stage, ...]:
    """The stages of an architecture.

    >>> parse("e1k3l1se-e6k3l2-e6k5l2-e6k3l3-e6k5l3-e6k5l4-e6k3l1")[0]
    Stage(expansion=1, kernel=3, layers=1, excites=True)

    Raises:
        HarnessError: if it is not one; the message names the stage and what it may be.
    """
    texts = architecture.split("-")
    if len(texts) != STAGES or not all(texts):
        raise HarnessError(
            f"'{_shown(architecture)}' is not an architecture of accel-nasbench; one has {STAGES} stages such as "
            f"'e6k3l2' or 'e6k3l2se', with hyphens between them"
        )
    return tuple(_stage(text, number) for number, text in enumerate(texts))


def written(stages: Sequence[Stage]) -> str:
    """The architecture of seven stages; the inverse of :func:`parse`."""
    return "-".join(map(str, stages))


@functools.lru_cache(maxsize=1 << 10)
def _stage(text: str, number: int) -> Stage:
    found = _STAGE.fullmatch(text)
    if found is None:
        raise HarnessError(
            f"stage {number + 1} is '{_shown(text)}'; a stage is 'e' and its expansion, 'k' and its kernel, 'l' and "
            "its number of layers, and 'se' if it has squeeze and excitation, such as 'e6k3l2se'"
        )
    stage = Stage(int(found[1]), int(found[2]), int(found[3]), found[4] is not None)
    for words, value, known in (
        ("expansion", stage.expansion, EXPANSIONS),
        ("kernel", stage.kernel, KERNELS),
        ("number of layers", stage.layers, LAYERS[number]),
    ):
        if value not in known:
            raise HarnessError(
                f"stage {number + 1}, '{text}', has the {words} {value}; known: {', '.join(map(str, known))}"
            )
    return stage


def of_numbers(numbers: Sequence[int]) -> str | None:
    """The architecture of 28 numbers: expansion, kernel, layers and SE (0 or 1) of each stage; None for others.

    >>> of_numbers([1, 3, 1, 1] + [6, 3, 2, 0] * 6)
    'e1k3l1se-e6k3l2-e6k3l2-e6k3l2-e6k3l2-e6k3l2-e6k3l2'
    """
    if len(numbers) != 4 * STAGES:
        return None
    stages = [Stage(e, k, layers, bool(se)) for e, k, layers, se in zip(*[iter(numbers)] * 4, strict=True)]
    known = (
        stage.expansion in EXPANSIONS and stage.kernel in KERNELS and stage.layers in layers and se in (0, 1)
        for stage, layers, se in zip(stages, LAYERS, numbers[3::4], strict=True)
    )
    return written(stages) if all(known) else None


_TRUTHS = {"true": 1, "false": 0}
_NUMBER = re.compile(r"\d+(?:\.0)?|true|false", re.IGNORECASE)
_FIELD = re.compile(r"block(\d)_(e|k|l|se)\W{1,4}(\d|true|false)\b", re.IGNORECASE)
_FIELDS = [(number, field) for number in range(STAGES) for field in ("e", "k", "l", "se")]


def _numbers(texts: Sequence[str]) -> list[int]:
    return [_TRUTHS[text.casefold()] if text.casefold() in _TRUTHS else int(float(text)) for text in texts]


def of_columns(text: str) -> str | None:
    """The architecture of the texts of 28 columns, ``e0 k0 l0 se0 e1 …``; None if they are others."""
    texts = text.split()
    return of_numbers(_numbers(texts)) if all(map(_NUMBER.fullmatch, texts)) else None


def of_fields(text: str) -> str | None:
    """The architecture of the official records, ``{"block0_e": 1, …, "block6_se": true}``; None for other texts."""
    found = {(int(number), field.casefold()): value for number, field, value in _FIELD.findall(text)}
    return of_numbers(_numbers([found[each] for each in _FIELDS])) if found.keys() == set(_FIELDS) else None


def of_lists(text: str) -> str | None:
    """The architecture of ``[expansions, kernels, layers, SE]``, four lists of seven; None for other texts.

    This is how the official interface takes one (``manual_sample``).

    >>> of_lists("[[1,6,6,6,6,6,6],[3]*7]") is None
    True
    """
    if re.sub(r"[\s\[\](),\d]|true|false", "", text, flags=re.IGNORECASE):
        return None
    numbers = _numbers(_NUMBER.findall(text))
    if len(numbers) != 4 * STAGES:
        return None
    return of_numbers([numbers[each * STAGES + stage] for stage in range(STAGES) for each in range(4)])


def _shown(text: str) -> str:
    text = text if len(text) <= 80 else f"{text[:77]}…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


COLUMNS = tuple((f"{field}{number}", f"block{number}{field}") for number, field in _FIELDS)
"""The names of the 28 columns, as :func:`harness.data.columns.column_key` spells them."""

DIALECTS = (
    Dialect("28 columns e0, k0, l0, se0 to se6", of_columns, "6 3 1 0 4 5 2 0 …", columns=COLUMNS),
    Dialect("official records", of_fields, "{'block0_e': 1, 'block0_k': 3, …}"),
    Dialect(
        "lists of expansions, kernels, layers and SE",
        of_lists,
        "[[1, 6, …], [3, 3, …], [1, 2, …], [True, True, …]]",
    ),
)
