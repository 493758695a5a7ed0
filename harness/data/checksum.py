"""A checksum of what a table holds, which does not depend on how a file stores it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def table_checksum(frame: pd.DataFrame) -> str:
    """SHA-256 of a table's index and columns in their order: names, types and values.

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
