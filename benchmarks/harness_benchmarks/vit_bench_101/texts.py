"""Texts of architectures: what messages show of them, and the dictionaries of the published records."""

from __future__ import annotations

import re

_FIELD = re.compile(r"['\"](\w+)['\"]\s*:\s*(\[[^\[\]{}]*\]|[\d.]+)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def fields_of(text: str) -> dict[str, list[float]]:
    """The numbers of each field of a dictionary, as JSON or Python writes it.

    >>> fields_of("{'base_dim': 16, 'depth': [2, 8, 4]}")
    {'base_dim': [16.0], 'depth': [2.0, 8.0, 4.0]}
    """
    return {name: [float(number) for number in _NUMBER.findall(value)] for name, value in _FIELD.findall(text)}


def shown(text: str) -> str:
    """A text from a file for a message: not too long, and without characters that cannot be seen."""
    text = text if len(text) <= 80 else f"{text[:77]}…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
