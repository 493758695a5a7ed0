"""What a caller gave, made what the harness works with: values as notebooks, scripts and command lines have them.

A converter takes a value and the name of its parameter. It returns a plain Python value (an ``int`` for NumPy's
integers and tensors without axes, a ``Path`` with the home folder in place of ``~``), or raises a
:class:`HarnessError` with one line that says what is wanted. :func:`accepts` declares the converters of a public
function:

>>> @accepts(seed=whole(), out=path)
... def run(out, seed=0):
...     return out, seed
>>> import numpy as np
>>> run("runs/x", seed=np.int64(3))
(PosixPath('runs/x'), 3)
>>> run("runs/x", seed="three")
Traceback (most recent call last):
    ...
harness.errors.HarnessError: seed must be a whole number, not 'three'
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import os
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from harness.errors import HarnessError

_UNITS = {
    unit: factor**power
    for power, units in enumerate((("KB", "KIB"), ("MB", "MIB"), ("GB", "GIB"), ("TB", "TIB")), start=1)
    for unit, factor in zip(units, (1000, 1024), strict=True)
}

P = ParamSpec("P")
R = TypeVar("R")
Converter = Callable[[Any, str], Any]


def accepts(**converters: Converter) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take its arguments as callers have them.

    What is not given keeps its default, which is not converted.

    Args:
        converters: one for each parameter that is converted, under its name.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        unknown = converters.keys() - signature.parameters.keys()
        if unknown:
            raise TypeError(f"{function.__qualname__} has no parameter {', '.join(sorted(unknown))}")

        @functools.wraps(function)
        def converted(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            for name, converter in converters.items():
                if name in bound.arguments:
                    bound.arguments[name] = converter(bound.arguments[name], name)
            return function(*bound.args, **bound.kwargs)

        return converted

    return declare


def optional(converter: Converter) -> Converter:
    """The same, with None for what is not given."""
    return lambda value, name: None if value is None else converter(value, name)


def whole(least: int | None = None) -> Converter:
    """A whole number: of Python, of NumPy, of a tensor or array without axes, as text, or as 64.0.

    Args:
        least: the smallest that is accepted.
    """

    def convert(value: object, name: str) -> int:
        found = _integer(value)
        if found is None or (least is not None and found < least):
            more = "" if least is None else f" of {least} or more"
            raise HarnessError(f"{name} must be a whole number{more}, not {shown(value)}")
        return found

    return convert


def number(value: object, name: str) -> float:
    """A finite number, of Python, of NumPy, of a tensor or array without axes, or as text."""
    found = _real(value)
    if found is None or not math.isfinite(found):
        raise HarnessError(f"{name} must be a number, not {shown(value)}")
    return found


def seconds(value: object, name: str) -> float | None:
    """A positive number of seconds, or a :class:`datetime.timedelta`; None for ∞, which is no limit."""
    found = value.total_seconds() if isinstance(value, timedelta) else _real(value)
    if found is None or not found > 0:
        raise HarnessError(f"{name} must be a positive number of seconds, not {shown(value)}")
    return None if math.isinf(found) else found


def parse_bytes(text: str) -> int:
    """A number of bytes written with a unit; GB is 10⁹ bytes, GiB 2³⁰.

    >>> parse_bytes("4GB"), parse_bytes("1.5 GiB")
    (4000000000, 1610612736)

    Raises:
        HarnessError: if it is written otherwise.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([KMGT]I?B)", text.strip().upper())
    if not found or float(found[1]) == 0:
        raise HarnessError(f"'{text}' is no amount of memory; write 4GB or 500MB")
    return int(float(found[1]) * _UNITS[found[2]])


def memory(value: object, name: str) -> int:
    """An amount of memory: as text with its unit, such as ``4GB``, or as a number of bytes."""
    if isinstance(value, str):
        return parse_bytes(value)
    found = _real(value)
    if found is None or not 1 <= found < math.inf:
        raise HarnessError(f"{name} must be an amount of memory, such as '4GB' or 4_000_000_000, not {shown(value)}")
    return int(found)


def yes_or_no(value: object, name: str) -> bool:
    """True or False, of Python, of NumPy, or of a tensor or array without axes; 0 and 1 too."""
    plain = _scalar(value)
    if isinstance(plain, bool) or (isinstance(plain, int) and plain in (0, 1)):
        return bool(plain)
    raise HarnessError(f"{name} must be True or False, not {shown(value)}")


def text(value: object, name: str) -> str:
    """A string; NumPy's become Python's."""
    if not isinstance(value, str):
        raise HarnessError(f"{name} must be text, not {shown(value)}")
    return str(value)


def texts(value: object, name: str) -> list[str]:
    """Strings, in any collection; one alone too."""
    if isinstance(value, str):
        return [str(value)]
    if not isinstance(value, Iterable):
        raise HarnessError(f"{name} must be names, such as ['a', 'b'], not {shown(value)}")
    return [text(each, f"each of {name}") for each in value]


def several(converter: Converter) -> Converter:
    """Values in any collection, an array or a tensor; one alone too."""

    def convert(value: object, name: str) -> list[Any]:
        plain = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(plain, str) or not isinstance(plain, Iterable):
            return [converter(plain, name)]
        return [converter(each, f"each of {name}") for each in plain]

    return convert


def epochs(value: object, name: str) -> int | str:
    """The length of a training: a number of epochs, or a word such as ``final``."""
    if isinstance(value, str) and not value.isdecimal():
        return str(value)
    return int(whole()(value, name))


def one_of(*choices: str) -> Converter:
    """One of a few words."""

    def convert(value: object, name: str) -> str:
        if isinstance(value, str) and value in choices:
            return str(value)
        raise HarnessError(f"{name} must be {' or '.join(map(repr, choices))}, not {shown(value)}")

    return convert


def path(value: object, name: str) -> Path:
    """A file or folder, as text or any :class:`os.PathLike`, with the home folder in place of a leading ``~``."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value:
        raise HarnessError(f"{name} must be the path of a file or folder, not {shown(value)}")
    return Path(os.path.expanduser(value))  # noqa: PTH111 - a user who does not exist is a name


def paths(value: object, name: str) -> list[Path]:
    """Paths, in any collection; one alone too."""
    if isinstance(value, str | os.PathLike) or not isinstance(value, Iterable):
        return [path(value, name)]
    return [path(each, f"each of {name}") for each in value]


def device(value: object, name: str) -> str:
    """Where networks are computed: ``cpu``, ``cuda``, ``cuda:1``, or the same as a ``torch.device``."""
    if isinstance(value, str):
        return str(value)
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        return str(value)
    raise HarnessError(f"{name} must be 'cpu' or 'cuda', or a torch.device, not {shown(value)}")


def shard(value: object, name: str) -> tuple[int, int]:
    """A part of the sample: ``3/16``, or (3, 16), for the third of sixteen; the whole of it for None.

    >>> shard("3/16", "shard"), shard((3, 16), "shard"), shard(None, "shard")
    ((3, 16), (3, 16), (1, 1))
    """
    if value is None:
        return 1, 1
    parts: list[object]
    if isinstance(value, str):
        parts = list(value.split("/"))
        if not all(isinstance(part, str) and part.isdecimal() for part in parts):
            parts = []
    else:
        parts = list(value) if isinstance(value, Iterable) else []
    try:
        part, of = (whole(1)(number, name) for number in parts)
    except (HarnessError, ValueError):
        part, of = 1, 0
    if part > of:
        raise HarnessError(
            f"{name} must be a part of the sample, such as 3/16 or (3, 16) for the third of sixteen, not {shown(value)}"
        )
    return part, of


def function(value: object, name: str) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise HarnessError(f"{name} must be a function, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """A value in one short line, for a message.

    >>> shown("three"), shown([1, 2]), shown(None)
    ("'three'", '[1, 2]', 'None')
    """
    words = " ".join(repr(value).split())
    if len(words) > 60 or words.startswith("<"):
        shape = getattr(value, "shape", None)
        of = "" if shape is None else f" of shape {tuple(shape)}"
        return f"a value of type {type(value).__name__}{of}"
    return words


def _scalar(value: object) -> object:
    """A number or truth value of NumPy or torch as Python's; what has axes and everything else as it is."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def _integer(value: object) -> int | None:
    """The whole number that a value is or spells, to its last digit; None where it is none."""
    plain = _scalar(value)
    if isinstance(plain, str):
        return int(plain) if re.fullmatch(r"\s*[-+]?[0-9]+\s*", plain) else None
    if isinstance(plain, bool):
        return None
    if isinstance(plain, numbers.Integral):
        return int(plain)
    found = _real(plain)
    return int(found) if found is not None and found.is_integer() else None


def _real(value: object) -> float | None:
    """The number that a value is or spells; None where it is none."""
    plain = _scalar(value)
    if isinstance(plain, str):
        try:
            return float(plain)
        except ValueError:
            return None
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
        return None
    return float(plain)
