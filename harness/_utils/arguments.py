"""Convert and check arguments from notebooks, scripts and command lines.

A converter takes a value and the name of its parameter. It returns a plain Python value (an ``int`` for NumPy
integers and zero-dimensional tensors, a ``Path`` with ``~`` expanded), or raises a :class:`HarnessError` with one line
that says what is expected. :func:`accepts` declares the converters of a public function:

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
    """Convert the arguments of a function with the converters of these parameters; defaults are not converted."""

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
    """Also accept None, which stays None."""
    return lambda value, name: None if value is None else converter(value, name)


def whole(least: int | None = None) -> Converter:
    """A whole number: from Python, NumPy, a zero-dimensional tensor or array, text, or a float such as 64.0."""

    def convert(value: object, name: str) -> int:
        found = _integer(value)
        if found is None or (least is not None and found < least):
            more = "" if least is None else f" of {least} or more"
            raise HarnessError(f"{name} must be a whole number{more}, not {shown(value)}")
        return found

    return convert


def number(value: object, name: str) -> float:
    """A finite number: from Python, NumPy, a zero-dimensional tensor or array, or text."""
    found = _real(value)
    if found is None or not math.isfinite(found):
        raise HarnessError(f"{name} must be a number, not {shown(value)}")
    return found


def seconds(value: object, name: str) -> float | None:
    """A positive number of seconds, or a :class:`datetime.timedelta`; None for ∞, which means no limit."""
    found = value.total_seconds() if isinstance(value, timedelta) else _real(value)
    if found is None or not found > 0:
        raise HarnessError(f"{name} must be a positive number of seconds, not {shown(value)}")
    return None if math.isinf(found) else found


def parse_bytes(text: str) -> int:
    """Parse a number of bytes with a unit; GB is 10⁹ bytes, GiB 2³⁰.

    >>> parse_bytes("4GB"), parse_bytes("1.5 GiB")
    (4000000000, 1610612736)

    Raises:
        HarnessError: if the text has another form.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([KMGT]I?B)", text.strip().upper())
    if not found or float(found[1]) == 0:
        raise HarnessError(f"invalid amount of memory '{text}'; write it as 4GB or 500MB")
    return int(float(found[1]) * _UNITS[found[2]])


def memory(value: object, name: str) -> int:
    """An amount of memory: text with a unit, such as ``4GB``, or a number of bytes."""
    if isinstance(value, str):
        return parse_bytes(value)
    found = _real(value)
    if found is None or not 1 <= found < math.inf:
        raise HarnessError(f"{name} must be an amount of memory, such as '4GB' or 4_000_000_000, not {shown(value)}")
    return int(found)


def yes_or_no(value: object, name: str) -> bool:
    """True or False, or 0 or 1: from Python, NumPy, or a zero-dimensional tensor or array."""
    plain = _scalar(value)
    if isinstance(plain, bool) or (isinstance(plain, int) and plain in (0, 1)):
        return bool(plain)
    raise HarnessError(f"{name} must be True or False, not {shown(value)}")


def text(value: object, name: str) -> str:
    """A string; NumPy strings are converted."""
    if not isinstance(value, str):
        raise HarnessError(f"{name} must be text, not {shown(value)}")
    return str(value)


def texts(value: object, name: str) -> list[str]:
    """Strings in any collection, or a single string."""
    if isinstance(value, str):
        return [str(value)]
    if not isinstance(value, Iterable):
        raise HarnessError(f"{name} must be names, such as ['a', 'b'], not {shown(value)}")
    return [text(each, f"each of {name}") for each in value]


def several(converter: Converter) -> Converter:
    """Values in any collection, array or tensor, or a single value."""

    def convert(value: object, name: str) -> list[Any]:
        plain = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(plain, str) or not isinstance(plain, Iterable):
            return [converter(plain, name)]
        return [converter(each, f"each of {name}") for each in plain]

    return convert


def epochs(value: object, name: str) -> int | str:
    """The length of training: a number of epochs, or a word such as ``final``."""
    if isinstance(value, str) and not value.isdecimal():
        return str(value)
    return int(whole()(value, name))


def one_of(*choices: str) -> Converter:
    """One of several words."""

    def convert(value: object, name: str) -> str:
        if isinstance(value, str) and value in choices:
            return str(value)
        raise HarnessError(f"{name} must be {' or '.join(map(repr, choices))}, not {shown(value)}")

    return convert


def path(value: object, name: str) -> Path:
    """A file or directory, as text or any :class:`os.PathLike`, with a leading ``~`` expanded."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value:
        raise HarnessError(f"{name} must be the path of a file or directory, not {shown(value)}")
    return Path(os.path.expanduser(value))  # noqa: PTH111 - keeps ~name if there is no such user


paths: Converter = several(path)


def device(value: object, name: str) -> str:
    """Where networks are computed: ``cpu``, ``cuda``, ``cuda:1``, or a ``torch.device``."""
    if isinstance(value, str):
        return str(value)
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        return str(value)
    raise HarnessError(f"{name} must be 'cpu' or 'cuda', or a torch.device, not {shown(value)}")


def shard(value: object, name: str) -> tuple[int, int]:
    """A part of the sample: ``3/16``, or (3, 16), for the third of sixteen; None for the whole sample.

    >>> shard("3/16", "shard"), shard((3, 16), "shard"), shard(None, "shard")
    ((3, 16), (3, 16), (1, 1))
    """
    if value is None:
        return 1, 1
    if isinstance(value, str):
        written = re.fullmatch("([0-9]+)/([0-9]+)", value)
        parts: object = written.groups() if written else ()
    else:
        parts = value
    try:
        part, of = several(whole(1))(parts, name)
    except (HarnessError, ValueError):
        part, of = 1, 0
    if part > of:
        raise HarnessError(
            f"{name} must be a part of the sample, such as 3/16 or (3, 16) for the third of sixteen, not {shown(value)}"
        )
    return part, of


def function(value: object, name: str) -> Callable[..., Any]:
    """A callable object."""
    if not callable(value):
        raise HarnessError(f"{name} must be a function, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """A value as one short line, for messages.

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
    """Convert a zero-dimensional value of NumPy or torch to Python; return everything else unchanged."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def _integer(value: object) -> int | None:
    """The whole number that a value is or spells, exactly; None if it is not one."""
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
    """The number that a value is or spells; None if it is not one."""
    plain = _scalar(value)
    if isinstance(plain, str):
        try:
            return float(plain)
        except ValueError:
            return None
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
        return None
    return float(plain)
