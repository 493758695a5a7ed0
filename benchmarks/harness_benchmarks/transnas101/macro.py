"""The macro space: skeletons of four to six modules, built from residual blocks.

A code such as ``64-1234-basic`` holds the channels after the stem, a digit for each module (see
:mod:`harness_benchmarks.transnas101.skeleton`) and the kind of cell, the same in all. The modules double the channels
one to three times and halve the resolution one to four times: 210 + 750 + 2,296 = 3,256 codes of four, five and six
modules (Duan et al., CVPR 2021, section 3.1). Different codes are different networks, because a module's digit can be
read off the channels and the resolution before and after it; so the space has no sets besides that of all
architectures.
"""

from __future__ import annotations

import functools
import itertools
import re

from harness.data import Contrast
from harness.errors import HarnessError
from harness_benchmarks.transnas101.skeleton import DOUBLES, HALVES

SUBSETS = {"all": "every architecture"}
LENGTHS = (4, 5, 6)
DOUBLINGS = (1, 3)
HALVINGS = (1, 4)
"""How often the modules may double the channels and halve the resolution: at least and at most."""

PREFIX, SUFFIX = "64-", "-basic"
CONTRAST = Contrast.of_names(
    f"{PREFIX}[34][34].*",
    f"{PREFIX}2[12].*",
    ("networks whose first two modules halve the resolution", "whose first two keep it and double the channels"),
)


def parse_modules(architecture: str) -> str:
    """The modules of an official code, one digit per module.

    >>> parse_modules("64-1234-basic")
    '1234'

    Raises:
        HarnessError: if the code is not of that form or not in the space; the message says why.
    """
    modules = architecture.removeprefix(PREFIX).removesuffix(SUFFIX)
    if f"{PREFIX}{modules}{SUFFIX}" != architecture or not modules:
        raise HarnessError(f"'{architecture}' is not a code of the macro space, such as '{PREFIX}1234{SUFFIX}'")
    unknown = [digit for digit in modules if digit not in "1234"]
    if unknown:
        known = "1 keeps both, 2 doubles channels, 3 halves resolution, 4 does both"
        raise HarnessError(f"unknown module '{unknown[0]}' in '{architecture}'; known: {known}")
    fault = _fault(modules)
    if fault:
        raise HarnessError(f"'{architecture}' is not in the macro space: {fault}")
    return modules


def of_digits(text: str) -> str | None:
    """The official code of the modules' digits in any form, such as NASLib's tuples, which zeros fill up.

    >>> of_digits("(1, 2, 3, 4, 0, 0)")
    '64-1234-basic'
    """
    modules = re.sub(r"[\s,()\[\]]|0", "", text)
    return f"{PREFIX}{modules}{SUFFIX}" if re.fullmatch("[1-4]+", modules) and not _fault(modules) else None


@functools.cache
def enumerate_architectures() -> tuple[str, ...]:
    """All 3,256 codes, in the order of the codes as text, which is that of the benchmark's tables."""
    sequences = itertools.chain.from_iterable(itertools.product("1234", repeat=length) for length in LENGTHS)
    return tuple(sorted(f"{PREFIX}{''.join(s)}{SUFFIX}" for s in sequences if not _fault("".join(s))))


def neighbours(architecture: str) -> list[str]:
    """The codes with one module changed, left out or put in, in the order of the codes as text.

    >>> neighbours("64-1234-basic")[:3]
    ['64-11234-basic', '64-1134-basic', '64-12134-basic']
    """
    modules = parse_modules(architecture)
    found = {
        modules[:place] + new + modules[end:]
        for place in range(len(modules) + 1)
        for end in (place, place + 1)
        for new in ("", "1", "2", "3", "4")
        if end <= len(modules)
    }
    return sorted(f"{PREFIX}{near}{SUFFIX}" for near in found - {modules} if not _fault(near))


def _fault(modules: str) -> str:
    """Why a sequence of modules is not in the space; empty if it is."""
    if len(modules) not in LENGTHS:
        return f"it has {len(modules)} modules; expected: {LENGTHS[0]} to {LENGTHS[-1]}"
    for digits, (least, most), what in ((DOUBLES, DOUBLINGS, "doubles"), (HALVES, HALVINGS, "halves")):
        times = sum(module in digits for module in modules)
        if not least <= times <= most:
            thing = "the channels" if what == "doubles" else "the resolution"
            return f"it {what} {thing} {times} times; expected: {least} to {most} times"
    return ""
