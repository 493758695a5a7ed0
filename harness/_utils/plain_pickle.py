"""Reading downloaded pickles that hold nothing but plain data, without running anything they bring along.

A pickle is a program: loading one can call any function that it names. The pickles of published benchmarks and image
sets need very few names: ordered dictionaries, numpy numbers and numpy arrays. This reader knows those names only, and
stands its own small functions in for them; a pickle that names anything else is refused.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

_AT_ONCE = 2**16
_NUMBER = re.compile(r"[biuf]\d+")


class _NumberType:
    """Stands in for ``numpy.dtype``: keeps the name of a number type and its byte order."""

    def __init__(self, name: str, align: bool = False, copy: bool = True) -> None:
        if not _NUMBER.fullmatch(name):
            raise pickle.UnpicklingError(f"values of type '{name}', which are no numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder("=" if state[1] == "|" else state[1])


class _Array:
    """Stands in for ``numpy.ndarray`` while a pickle is read; :func:`as_array` makes it a real one."""

    def __init__(self, *arguments: object) -> None:
        self.value: NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, number, column_major, data = state
        flat = np.frombuffer(_as_bytes(data), dtype=number.dtype)
        self.value = flat.reshape(shape, order="F" if column_major else "C")


def as_array(value: object) -> NDArray[Any] | None:
    """The array that :func:`load_plain` read, or None if the value is no array."""
    return value.value if isinstance(value, _Array) else None


def _as_bytes(data: bytes | str) -> bytes:
    """Python 2 wrote bytes as text of the same code points."""
    return data.encode("latin1") if isinstance(data, str) else data


def _scalar(number: _NumberType, data: bytes | str) -> object:
    return np.frombuffer(_as_bytes(data), dtype=number.dtype)[0].item()


def _from_buffer(data: bytes, number: _NumberType, shape: tuple[int, ...], order: str) -> _Array:
    """Stands in for numpy's ``_frombuffer``, which pickles of the fifth protocol call to make arrays."""
    array = _Array()
    array.value = np.frombuffer(bytes(data), dtype=number.dtype).reshape(shape, order="F" if order == "F" else "C")
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Stands in for ``_codecs.encode``, which pickles of the second protocol call to make bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text in the encoding '{encoding}'")
    return text.encode("latin1")


def _empty_bytes() -> bytes:
    """Stands in for ``bytes``, which pickles of the second protocol call without arguments."""
    return b""


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _empty_bytes,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("numpy", "dtype"): _NumberType,
    ("numpy", "ndarray"): _Array,
    # numpy 2 renamed numpy.core; files written by either are read.
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"'{module}.{name}', which is no plain data") from None


def load_plain(file: IO[bytes], name: str, remedy: str = "") -> Any:
    """What a pickle holds, if it is plain data: numbers, text, containers and numeric arrays (see :func:`as_array`).

    Args:
        file: the pickle, uncompressed.
        name: the file's name, for messages.
        remedy: what else the user can do, for the message that the pickle holds more than plain data.

    Raises:
        DataError: if the file is no pickle, is truncated, or names anything but plain data.
    """
    try:
        content = _PlainUnpickler(file, encoding="latin1").load()
        # At its end a compressed file compares its checksum.
        while file.read(_AT_ONCE):
            pass
        return content
    except pickle.UnpicklingError as error:
        advice = f"; {remedy}" if remedy else ""
        raise DataError(f"{name} was not read: it is damaged or holds more than plain data ({error}){advice}") from None
    except Exception as error:
        # A damaged pickle can fail in any way: as a missing key, a wrong type, a size that does not fit, or an end.
        raise DataError(f"{name} is damaged or no pickle file ({type(error).__name__}: {error})") from None
