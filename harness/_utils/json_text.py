"""Read JSON that may be damaged or untrusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: if it is not valid JSON, or nested too deeply.

    >>> parse_json('{"a": 1}')
    {'a': 1}
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_checksum(document: Mapping[str, Any], but: str) -> str:
    """SHA-256 of a document without the entry that stores the checksum itself."""
    stated = {key: value for key, value in document.items() if key != but}
    return hashlib.sha256(
        json.dumps(stated, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()
