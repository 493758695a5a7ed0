"""Checksums of a table's content, independent of how a file stores it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow


def table_checksum(frame: pd.DataFrame) -> str:
    """SHA-256 of a table's index and columns, in order: names, types and values.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"accuracy": [90.0, 91.0]}, index=["a", "b"])
    >>> table_checksum(table) == table_checksum(table.copy())
    True
    >>> table_checksum(table) == table_checksum(table + 1)
    False
    """
    hasher = hashlib.sha256()
    for name, values in (("", frame.index.to_series()), *frame.items()):
        if values.dtype.kind in "biuf":
            numbers = values.to_numpy()
            numbers = np.ascontiguousarray(numbers, dtype=numbers.dtype.newbyteorder("<"))
            kind, content = numbers.dtype.str, numbers.tobytes()
        else:
            texts = ["" if missing else str(text) for text, missing in zip(values, values.isna(), strict=True)]
            kind, content = "text", "".join(f"{len(text)}:{text}" for text in texts).encode()
        hasher.update(f"{len(str(name))}:{name} {kind} {len(content)}:".encode())
        hasher.update(content)
    return hasher.hexdigest()


def column_checksum(name: str, column: pyarrow.ChunkedArray) -> str:
    """128-bit BLAKE2b of one column: name, type, missing values and values. Fast, since nothing is converted."""
    import pyarrow as pa

    # A plain copy: the checksum must not depend on chunks or on the bytes behind missing values.
    values = pa.concat_arrays([pa.array([], type=column.type), *column.chunks])
    text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    absent = np.empty(0, dtype=bool)
    if values.null_count:
        absent = np.asarray(values.is_null().to_numpy(zero_copy_only=False))
        values = values.fill_null("" if text else 0)
    if text:
        _, offsets, content = values.cast(pa.large_binary()).buffers()
        ends = np.frombuffer(offsets, dtype="<i8")[: len(values) + 1]
        parts = [np.diff(ends), np.frombuffer(content or b"", dtype=np.uint8)[ends[0] : ends[-1]]]
    else:
        parts = [values.to_numpy(zero_copy_only=False)]
    hasher = hashlib.blake2b(f"{name}\n{values.type}\n{len(values)}\n".encode(), digest_size=16)
    for part in (absent, *parts):
        hasher.update(np.ascontiguousarray(part).data)
    return hasher.hexdigest()
