"""Arrays from ``.npy`` and ``.npz`` files that may be damaged or made by anyone: no more is allocated than is there.

The header of an array states its shape and type, and numpy allocates what it states before it reads. Here the stated
size is compared with the bytes that the file has; those of a compressed array with what Deflate can make of them.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness._utils.visible import one_line

Array = NDArray[Any]

_HIGHEST_RATIO = 1032
"""Deflate makes at most so many bytes of one."""

_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Arrays(NamedTuple):
    """What an ``.npz`` file holds: the names of all its arrays, sorted, and those that were asked for."""

    names: list[str]
    read: dict[str, Array]


def read_npz(source: Path | IO[bytes], wanted: Collection[str] | None = None) -> Arrays:
    """The arrays of an ``.npz`` file.

    Args:
        source: the file.
        wanted: the names of the arrays that are read, if they are there; all unless given.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such file, is damaged, or holds Python objects.
    """
    arrays = Arrays([], {})
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                arrays.names.append(name)
                if wanted is None or name in wanted:
                    if member.file_size > _HIGHEST_RATIO * member.compress_size:
                        raise ValueError(f"'{name}' states more bytes than its compressed ones can give")
                    with archive.open(member) as file:
                        arrays.read[name] = _read(file, member.file_size, f"'{name}'")
    except FileNotFoundError:
        raise
    except MemoryError:
        raise ValueError("its arrays do not fit in memory") from None
    except Exception as error:
        # What numpy and zipfile raise depends on which byte is damaged.
        raise ValueError(one_line(str(error)) or type(error).__name__) from None
    arrays.names.sort()
    return arrays


def read_npy(path: Path) -> Array:
    """The array of a ``.npy`` file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such file, is damaged, or holds Python objects.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == b"PK":
                raise ValueError("it is an archive of arrays, not one array")
            file.seek(0)
            return _read(file, path.stat().st_size, "the array")
    except FileNotFoundError:
        raise
    except MemoryError:
        raise ValueError("its array does not fit in memory") from None
    except Exception as error:
        raise ValueError(one_line(str(error)) or type(error).__name__) from None


def _memory() -> float:
    """Bytes of this machine's memory; infinity where that is not known."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def _read(file: IO[bytes], size: int, what: str) -> Array:
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
        raise ValueError(
            f"{what} has version {version[0]}.{version[1]} of numpy's format; plain numbers have 1.0 or 2.0"
        )
    shape, _, dtype = _READERS[version](file)
    if dtype.hasobject:
        raise ValueError(f"{what} holds Python objects, which are not read")
    stated, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if stated != there or min(shape, default=0) < 0:
        raise ValueError(f"{what} states {dtype} {shape}, which is {stated:,} bytes, but {there:,} are there")
    if stated > _memory():
        raise ValueError(f"{what} has {stated:,} bytes, which is more than the memory of this machine")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError(f"{what} is followed by other bytes")
    return array
