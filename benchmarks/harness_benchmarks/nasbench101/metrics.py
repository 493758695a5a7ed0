"""The result of one training run: a decoder of the protocol buffer ``ModelMetrics`` of NAS-Bench-101.

The fields and their numbers are those of ``nasbench/lib/model_metrics.proto`` in google-research/nasbench; the wire
format is that of Protocol Buffers (protobuf.dev, "Encoding"). Unknown fields are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_DOUBLE = struct.Struct("<d")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_EVALUATION, _TRAINABLE_PARAMETERS = 1, 2
_EPOCH, _SECONDS, _VALIDATION, _TEST = 1, 2, 4, 5


@dataclass(frozen=True, slots=True)
class Metrics:
    """The final metrics of one training run.

    Attributes:
        parameters: the network's trainable parameters.
        epoch: the epoch of the last evaluation.
        seconds: the training time up to then.
        validation: accuracy on the validation images, from 0 to 1.
        test: accuracy on the test images, from 0 to 1.
    """

    parameters: int
    epoch: float
    seconds: float
    validation: float
    test: float


def decode_metrics(message: bytes) -> Metrics:
    """The last evaluation of a ``ModelMetrics`` message.

    Raises:
        ValueError: if the message is damaged or has a field missing.
    """
    evaluation: bytes | None = None
    parameters: int | None = None
    for number, value in _fields(message):
        if number == _EVALUATION and isinstance(value, bytes):
            evaluation = value
        elif number == _TRAINABLE_PARAMETERS and isinstance(value, int):
            parameters = value
    if evaluation is None or parameters is None:
        raise ValueError("its metrics lack " + ("an evaluation" if evaluation is None else "trainable_parameters"))
    values = dict(_fields(evaluation))
    try:
        return Metrics(
            parameters,
            *(_double(values[number]) for number in (_EPOCH, _SECONDS, _VALIDATION, _TEST)),
        )
    except KeyError as missing:
        raise ValueError(f"the last evaluation of its metrics lacks field {missing}") from None


def _double(value: int | float | bytes) -> float:
    if not isinstance(value, float):
        raise ValueError("the last evaluation of its metrics is damaged")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Each field's number and value; all 64-bit values of this format are doubles."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        value: int | float | bytes
        if kind == _FIXED64 and position + 8 <= end:
            value = _DOUBLE.unpack_from(message, position)[0]
            position += 8
        elif kind == _VARINT:
            value, position = _varint(message, position)
        elif kind in (_BYTES, _FIXED32):
            length, position = _varint(message, position) if kind == _BYTES else (4, position)
            value = message[position : position + length]
            position += length
        else:
            position = end + 1
        if position > end:
            raise ValueError("its metrics are damaged")
        yield key >> 3, value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """An unsigned integer of seven bits per byte, and the position after it."""
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("its metrics are damaged")
