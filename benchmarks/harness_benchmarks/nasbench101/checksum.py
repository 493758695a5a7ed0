"""CRC-32C, the checksum of TFRecord files, of many messages at once.

The Castagnoli polynomial (RFC 3720, appendix B.4), reflected. One table look-up takes in one byte of every message, so
numpy's cost of a step is shared by thousands of records, and no compiled library is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8


def _make_table() -> NDArray[np.uint32]:
    """What one byte does to the state, uint32, (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _make_table()
_TABLE_AS_INTEGERS = _TABLE.tolist()


def crc32c(messages: Sequence[bytes]) -> NDArray[np.uint32]:
    """The CRC-32C of each message, uint32, (len(messages),).

    >>> [hex(value) for value in crc32c([b"123456789", b""])]
    ['0xe3069283', '0x0']
    """
    lengths = np.array([len(message) for message in messages], dtype=np.int64)
    longest_first = np.argsort(-lengths, kind="stable")
    width = int(lengths.max(initial=0))
    padded = b"".join(messages[i].ljust(width, b"\0") for i in longest_first)
    bytes_by_position = np.frombuffer(padded, dtype=np.uint8).reshape(len(messages), width).T.astype(np.uint32)
    # Longest first, the messages that still have a byte at a position are the first ones.
    unfinished = np.searchsorted(-lengths[longest_first], -np.arange(width), side="left")
    state = np.full(len(messages), 0xFFFFFFFF, dtype=np.uint32)
    for position, count in enumerate(unfinished.tolist()):
        active = state[:count]
        active[:] = _TABLE[(active ^ bytes_by_position[position, :count]) & 0xFF] ^ (active >> 8)
    result = np.empty_like(state)
    result[longest_first] = state ^ np.uint32(0xFFFFFFFF)
    return result


def crc32c_of_one(message: bytes) -> int:
    """The CRC-32C of one short message.

    >>> hex(crc32c_of_one(b"123456789"))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for byte in message:
        state = _TABLE_AS_INTEGERS[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def masked(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Checksums as TFRecord files hold them: rotated right by 15 bits, plus a constant, modulo 2³²."""
    rotated: NDArray[np.uint32] = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return rotated + np.uint32(_MASK_DELTA)
