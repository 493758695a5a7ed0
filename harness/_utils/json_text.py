"""Read JSON that may be damaged or untrusted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


class RepeatedKeyError(ValueError):
    """An object names a key twice; ``key`` is that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"'{key}' occurs more than once in one object")
        self.key = key


def parse_json(text: str | bytes, *, unique: bool = False) -> Any:
    """Parse a JSON text.

    Args:
        text: the text.
        unique: whether an object that names a key twice is an error; otherwise the last value counts.

    Raises:
        ValueError: if it is not valid JSON, or nested too deeply.
        RepeatedKeyError: if ``unique`` and an object names a key twice.

    >>> parse_json('{"a": 1}')
    {'a': 1}
    """
    try:
        return json.loads(text, object_pairs_hook=_each_once if unique else None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        raise RepeatedKeyError(next(key for key, number in times.items() if number > 1))
    return found


def json_checksum(document: Mapping[str, Any], but: str) -> str:
    """SHA-256 of a document without the entry that stores the checksum itself."""
    stated = {key: value for key, value in document.items() if key != but}
    return hashlib.sha256(
        json.dumps(stated, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()
