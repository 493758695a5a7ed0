r"""Make untrusted text safe to show by escaping invisible characters.

Names, labels and messages come from other people's packages, files and runs. They may have control characters for the
terminal (``ESC`` starts colours, window titles and cursor moves), characters that reorder the text around them
(bidirectional overrides), or characters that break a table or an XML file. All output is escaped here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0001-\U000e007f"
)
"""Unicode's control, format and surrogate characters, and its line and paragraph separators."""

_LINE = re.compile(f"[{_UNSEEN}]")
_PAGE = re.compile(f"(?!\n)[{_UNSEEN}]")


def visible(text: str) -> str:
    r"""Escape the invisible characters of one line.

    >>> print(visible("a\x1b[31m b\nc \u202ed"))
    a\x1b[31m b\nc \u202ed
    """
    return text if text.isprintable() else _LINE.sub(_written_out, text)


def one_line(text: str) -> str:
    r"""Join text to one line, and escape its invisible characters.

    >>> print(one_line("no such\n  column: a" + chr(7)))
    no such column: a\x07
    """
    return visible(" ".join(text.split()))


def visible_page(text: str) -> str:
    r"""Escape the invisible characters of text with several lines.

    >>> print(visible_page("a\x1b[31m\nb"))
    a\x1b[31m
    b
    """
    return _PAGE.sub(_written_out, text)


def write_page(path: Path, text: str) -> None:
    """Write text as UTF-8 with Unix line ends and escaped invisible characters; make missing directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(visible_page(text), encoding="utf-8", newline="\n")


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, without its index; the same text on every system."""
    return table.to_csv(index=False, lineterminator="\n")


def json_page(document: Any, *, ascii_only: bool = False) -> str:
    r"""A document as JSON, with null for non-finite numbers.

    Its strings are unchanged, since JSON has its own escapes for invisible characters.

    >>> print(json_page({"label": "τ\x9b31m"}), end="")
    {
      "label": "τ\u009b31m"
    }
    """
    text = json.dumps(_finite(document), indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n"
    return _PAGE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _finite(value: Any) -> Any:
    """Convert a document to JSON types; numbers keep full precision."""
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _written_out(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
