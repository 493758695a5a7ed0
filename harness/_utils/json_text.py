"""Reading JSON that may be damaged or made by anyone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: if it is no JSON, or nested too deeply to be read.

    >>> parse_json('{"a": 1}')
    {'a': 1}
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_checksum(document: Mapping[str, Any], but: str) -> str:
    """SHA-256 of everything that a document says but for the entry that holds the checksum itself."""
    stated = {key: value for key, value in document.items() if key != but}
    return hashlib.sha256(
        json.dumps(stated, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()
