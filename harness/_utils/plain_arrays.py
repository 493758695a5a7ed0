"""Read ``.npy`` and ``.npz`` files that may be damaged or untrusted, without allocating more than their content.

The header of an array states its shape and type, and numpy allocates that much memory before it reads. This module
first compares the stated size with the size of the file, and for compressed arrays with Deflate's maximum ratio.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness._utils.visible import one_line

Array = NDArray[Any]

_HIGHEST_RATIO = 1032
"""The maximum compression ratio of Deflate."""

_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Arrays(NamedTuple):
    """The content of an ``.npz`` file: the sorted names of all its arrays, and the requested arrays."""

    names: list[str]
    read: dict[str, Array]


def read_npz(source: Path | IO[bytes], wanted: Collection[str] | None = None) -> Arrays:
    """Read the arrays of an ``.npz`` file: all of them, or those of the wanted names that exist.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not an ``.npz`` file, is damaged, or has Python objects.
    """
    arrays = Arrays([], {})
    with _damage_explained(), zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            arrays.names.append(name)
            if wanted is None or name in wanted:
                if member.file_size > _HIGHEST_RATIO * member.compress_size:
                    raise ValueError(f"'{name}' states a size that its compressed data cannot have")
                with archive.open(member) as file:
                    arrays.read[name] = _read(file, member.file_size, f"'{name}'")
    arrays.names.sort()
    return arrays


def read_npy(path: Path) -> Array:
    """Read the array of a ``.npy`` file.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not a ``.npy`` file, is damaged, or has Python objects.
    """
    with _damage_explained(), path.open("rb") as file:
        if file.read(2) == b"PK":
            raise ValueError("it is an archive of arrays, not a single array")
        file.seek(0)
        return _read(file, path.stat().st_size, "the array")


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except MemoryError:
        raise ValueError("it does not fit in memory") from None
    except Exception as error:
        # The exceptions of numpy and zipfile depend on which byte is damaged.
        raise ValueError(one_line(str(error)) or type(error).__name__) from None


def _memory() -> float:
    """This machine's memory in bytes; infinity if unknown."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def _read(file: IO[bytes], size: int, what: str) -> Array:
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
        raise ValueError(
            f"{what} has unsupported version {version[0]}.{version[1]} of numpy's format; expected: 1.0 or 2.0"
        )
    shape, _, dtype = _READERS[version](file)
    if dtype.hasobject:
        raise ValueError(f"{what} has Python objects, which are not supported")
    stated, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if stated != there or min(shape, default=0) < 0:
        raise ValueError(f"{what} states {dtype} {shape} ({stated:,} bytes), but has {there:,} bytes")
    if stated > _memory():
        raise ValueError(f"{what} has {stated:,} bytes, more than this machine's memory")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError(f"{what} is followed by extra bytes")
    return array
