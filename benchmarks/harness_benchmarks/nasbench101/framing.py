"""Reading records of a TFRecord file without TensorFlow, with both checksums verified.

A record is its length (uint64, little-endian), the masked CRC-32C of those eight bytes, the data, and the masked
CRC-32C of the data; see "TFRecords format details" in TensorFlow's documentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from google_crc32c import value as crc32c

from harness.errors import DataError

_MASK_DELTA = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_LONGEST = 1 << 20
_RECORDS_AT_ONCE = 8192


@dataclass(frozen=True)
class RecordBatch:
    """Consecutive records.

    Attributes:
        first: the number of the first one; the file's first record is number 1.
        records: their data.
        position: the bytes of the file read so far.
    """

    first: int
    records: list[bytes]
    position: int


def is_record_file(path: Path) -> bool:
    """Whether a file is named ``.tfrecord`` or begins with a valid record header."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    return path.suffix == ".tfrecord" or (
        len(header) == _HEADER.size and _masked_checksum(header[:8]) == _CHECKSUM.unpack(header[8:])[0]
    )


def read_records(path: Path) -> Iterator[RecordBatch]:
    """All records of a file, in batches of a few megabytes.

    Raises:
        DataError: if the file is truncated or a checksum is wrong; the message gives the number of the record.
    """
    first = 1
    with path.open("rb") as file:
        while True:
            records, checksums = _read_batch(file, path.name, first)
            if not records:
                return
            for number, (data, checksum) in enumerate(zip(records, checksums, strict=True), start=first):
                if _masked_checksum(data) != checksum:
                    raise DataError(f"{path.name}: record {number}: the checksum of its data is wrong")
            yield RecordBatch(first, records, file.tell())
            first += len(records)


def _read_batch(file: BinaryIO, name: str, first: int) -> tuple[list[bytes], list[int]]:
    """Up to ``_RECORDS_AT_ONCE`` records with their stored checksums."""
    records: list[bytes] = []
    checksums: list[int] = []
    while len(records) < _RECORDS_AT_ONCE:
        header = file.read(_HEADER.size)
        if not header:
            break
        where = f"{name}: record {first + len(records)}"
        if len(header) < _HEADER.size:
            raise DataError(f"{where}: the file ends within its header")
        length, checksum = _HEADER.unpack(header)
        if _masked_checksum(header[:8]) != checksum:
            raise DataError(f"{where}: the checksum of its length is wrong: the file is damaged or not a TFRecord file")
        if length > _LONGEST:
            raise DataError(f"{where}: {length:,} bytes are too many for a record of NAS-Bench-101")
        data = file.read(length + _CHECKSUM.size)
        if len(data) < length + _CHECKSUM.size:
            raise DataError(f"{where}: the file ends within its data")
        records.append(data[:length])
        checksums.append(_CHECKSUM.unpack_from(data, length)[0])
    return records, checksums


def _masked_checksum(data: bytes) -> int:
    """The CRC-32C as TFRecord files hold it: rotated right by 15 bits, plus a constant, modulo 2³²."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
