"""NAS-Bench-Macro's architectures: eight digits, one for each searched layer of a MobileNet-like network.

A digit is 0 for an identity, 1 for an inverted bottleneck of expansion 3 with a 3×3 kernel, 2 for one of expansion 6
with a 5×5 kernel. The layers form stages of 2, 3 and 3. The first layer of a stage doubles the channels and halves the
resolution; an identity there is a strided 1×1 convolution. Elsewhere it is no layer at all, so it may stand anywhere
among the later layers of its stage without changing the network (Su et al., CVPR 2021; xiusu/NAS-Bench-Macro at commit
61a2bfc, ``train/model.py`` and ``get_real_arch`` in ``train/utils.py``).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import HarnessError

STAGES = (2, 3, 3)
"""The number of searched layers of each stage."""

PLACES = sum(STAGES)
STEM_WIDTH = 32
HEAD_WIDTH = 1280

CHOICES = ("0", "1", "2")
BOTTLENECKS = {"1": (3, 3), "2": (6, 5)}
"""Expansion and kernel of each inverted bottleneck."""

SUBSETS = {
    "all": "every architecture",
    "unique": "the first of the architectures that are the same network, which differ only in where identities stand "
    "among the later layers of a stage",
}


@dataclass(frozen=True)
class Layer:
    """One searched layer that computes something.

    Attributes:
        inputs: number of input channels.
        outputs: number of output channels.
        stride: 2 in the first layer of a stage, else 1.
        expansion: factor from the input channels to those of the depthwise convolution; 0 for a lone 1×1 convolution.
        kernel: size of the depthwise kernel, or 1.
    """

    inputs: int
    outputs: int
    stride: int
    expansion: int
    kernel: int

    @property
    def label(self) -> str:
        """A short name for drawings.

        >>> Layer(64, 64, 1, 3, 3).label, Layer(32, 64, 2, 0, 1).label
        ('E3K3', 'conv1')
        """
        return f"E{self.expansion}K{self.kernel}" if self.expansion else f"conv{self.kernel}"


def parse(architecture: str) -> str:
    """The eight digits of an architecture, which are its name.

    Raises:
        HarnessError: if it is not eight of the digits 0, 1 and 2; the message says what is wrong.
    """
    if len(architecture) != PLACES:
        raise HarnessError(
            f"'{architecture}' is not a network of NAS-Bench-Macro; expected: eight digits, such as '02012100'"
        )
    for place, digit in enumerate(architecture, start=1):
        if digit not in CHOICES:
            raise HarnessError(
                f"'{architecture}' is not a network of NAS-Bench-Macro: layer {place} is '{digit}'; known: 0 identity, "
                "1 MBConv of expansion 3 with a 3x3 kernel, 2 MBConv of expansion 6 with a 5x5 kernel"
            )
    return architecture


@functools.cache
def enumerate_architectures() -> tuple[str, ...]:
    """All 6,561 architectures in the order of counting in base three; the last layer changes fastest."""
    return tuple("".join(digits) for digits in itertools.product(CHOICES, repeat=PLACES))


def stages(architecture: str) -> tuple[str, ...]:
    """The digits of each stage.

    >>> stages("02012100")
    ('02', '012', '100')

    Raises:
        HarnessError: as :func:`parse`.
    """
    digits = iter(parse(architecture))
    return tuple("".join(itertools.islice(digits, length)) for length in STAGES)


def layer_at(place: int, digit: str) -> Layer | None:
    """The layer that a digit means at one of the eight places; None for an identity that keeps the shape."""
    stage, first = next((stage, place == start) for stage, start in _STARTS if place >= start)
    width = STEM_WIDTH << stage
    shape = (width, 2 * width, 2) if first else (2 * width, 2 * width, 1)
    if digit in BOTTLENECKS:
        return Layer(*shape, *BOTTLENECKS[digit])
    return Layer(*shape, expansion=0, kernel=1) if first else None


_STARTS = tuple(enumerate(itertools.accumulate(STAGES[:-1], initial=0)))[::-1]
"""Each stage with its first place, the last stage first."""


def layers(architecture: str) -> list[Layer]:
    """The searched layers that compute something, in order.

    >>> [layer.label for layer in layers("02012100")]
    ['conv1', 'E6K5', 'conv1', 'E3K3', 'E6K5', 'E3K3']

    Raises:
        HarnessError: as :func:`parse`.
    """
    return [layer for place, digit in enumerate(parse(architecture)) if (layer := layer_at(place, digit)) is not None]


@functools.cache
def canonical_form(architecture: str) -> str:
    """The architecture that is the same network and has the identities of each stage at its end.

    The benchmark's authors trained these 3,969 and gave their accuracies to all others. A stage of :math:`n` layers has
    :math:`3 (1 + 2 + … + 2^{n-1})` of them: 9, 21 and 21.

    >>> canonical_form("00001012"), canonical_form("01001002")
    ('00010012', '01010020')

    Raises:
        HarnessError: as :func:`parse`.
    """
    return "".join(stage[0] + stage[1:].replace("0", "").ljust(len(stage) - 1, "0") for stage in stages(architecture))


@functools.cache
def unique() -> frozenset[str]:
    """The first architecture of each canonical form, in the order of :func:`enumerate_architectures`."""
    first: dict[str, str] = {}
    for architecture in enumerate_architectures():
        first.setdefault(canonical_form(architecture), architecture)
    return frozenset(first.values())


def features(architecture: str) -> Mapping[str, float]:
    """Counts of the layers, equal for architectures that are the same network.

    * ``E3K3 blocks``, ``E6K5 blocks``: the inverted bottlenecks of either kind;
    * ``bare reductions``: stages whose first layer is a lone 1×1 convolution;
    * ``stage 1 blocks`` to ``stage 3 blocks``: the inverted bottlenecks of each stage.

    >>> features("02012100")["bare reductions"], features("02012100")["stage 2 blocks"]
    (2, 2)

    Raises:
        HarnessError: as :func:`parse`.
    """
    found = stages(architecture)
    return {
        "E3K3 blocks": architecture.count("1"),
        "E6K5 blocks": architecture.count("2"),
        "bare reductions": sum(stage[0] == "0" for stage in found),
        **{f"stage {number} blocks": len(stage) - stage.count("0") for number, stage in enumerate(found, start=1)},
    }


def of_list(text: str) -> str | None:
    """The architecture of eight digits in any form, such as a tuple; None if it is none.

    >>> of_list("(0, 2, 0, 1, 2, 1, 0, 0)"), of_list("(0, 2)")
    ('02012100', None)
    """
    return _known(re.sub(r"[\s,()\[\]]", "", text))


def of_number(text: str) -> str | None:
    """The architecture of a number, whose leading zeros programs drop; None if it is none.

    >>> of_number("2012100"), of_number("0"), of_number("3")
    ('02012100', '00000000', None)
    """
    return _known(text.zfill(PLACES))


def _known(digits: str) -> str | None:
    return digits if re.fullmatch(f"[{''.join(CHOICES)}]{{{PLACES}}}", digits) else None
