"""Read downloaded pickles that contain only plain data, without running any code in them.

A pickle is a program: loading one can call any function that it names. The pickles of published benchmarks and image
sets need very few names: ordered dictionaries, numpy numbers and numpy arrays. This reader only accepts those names,
replaces them by small functions of its own, and refuses any other pickle.
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

_NUMBER = re.compile(r"[biuf]\d+")


class _NumberType:
    """Replaces ``numpy.dtype``: keeps the name and byte order of a number type."""

    def __init__(self, name: str, align: bool = False, copy: bool = True) -> None:
        if not _NUMBER.fullmatch(name):
            raise pickle.UnpicklingError(f"values of type '{name}', which are not numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder("=" if state[1] == "|" else state[1])


class _Array:
    """Replaces ``numpy.ndarray`` while a pickle is read; :func:`as_array` converts it to an array."""

    def __init__(self, *arguments: object) -> None:
        self.value: NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, number, column_major, data = state
        flat = np.frombuffer(_as_bytes(data), dtype=number.dtype)
        self.value = flat.reshape(shape, order="F" if column_major else "C")


def as_array(value: object) -> NDArray[Any] | None:
    """The array in a value read by :func:`load_plain`, or None if it is not an array."""
    return value.value if isinstance(value, _Array) else None


def _as_bytes(data: bytes | str) -> bytes:
    """Convert from Python 2, which wrote bytes as text with the same code points."""
    return data.encode("latin1") if isinstance(data, str) else data


def _scalar(number: _NumberType, data: bytes | str) -> object:
    return np.frombuffer(_as_bytes(data), dtype=number.dtype)[0].item()


def _from_buffer(data: bytes, number: _NumberType, shape: tuple[int, ...], order: str) -> _Array:
    """Replaces numpy's ``_frombuffer``, which pickles of protocol 5 call to create arrays."""
    array = _Array()
    array.value = np.frombuffer(bytes(data), dtype=number.dtype).reshape(shape, order="F" if order == "F" else "C")
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Replaces ``_codecs.encode``, which pickles of protocol 2 call to create bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text in the encoding '{encoding}'")
    return text.encode("latin1")


def _empty_bytes() -> bytes:
    """Replaces ``bytes``, which pickles of protocol 2 call without arguments."""
    return b""


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _empty_bytes,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("numpy", "dtype"): _NumberType,
    ("numpy", "ndarray"): _Array,
    # numpy 2 renamed numpy.core; files of both versions are supported.
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
            raise pickle.UnpicklingError(f"'{module}.{name}', which is not plain data") from None


def load_plain(file: IO[bytes], name: str, remedy: str = "") -> Any:
    """Load an uncompressed pickle of plain data: numbers, text, containers and numeric arrays (see :func:`as_array`).

    Messages give the name, and the remedy if the pickle contains more than plain data.

    Raises:
        DataError: if the file is not a pickle, is truncated, or names anything except plain data.
    """
    try:
        content = _PlainUnpickler(file, encoding="latin1").load()
        # A compressed file checks its checksum at its end.
        while file.read(2**16):
            pass
        return content
    except pickle.UnpicklingError as error:
        advice = f"; {remedy}" if remedy else ""
        raise DataError(
            f"{name} was not read: it is damaged or contains more than plain data ({error}){advice}"
        ) from None
    except Exception as error:
        # A damaged pickle can fail in any way: a missing key, a wrong type, a wrong size, or an early end.
        raise DataError(f"{name} is damaged or not a pickle file ({type(error).__name__}: {error})") from None
