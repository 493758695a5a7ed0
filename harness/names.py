"""Messages for names that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One line that says which name is unknown, the nearest known ones, and all of them.

    >>> unknown_name("proxy", "synflo", ["snip", "synflow"])
    "unknown proxy 'synflo': did you mean 'synflow'? Known: snip, synflow"
    """
    names = sorted(known)
    by_lower = {known_name.lower(): known_name for known_name in names}
    near = [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
    hint = " did you mean " + " or ".join(f"'{n}'" for n in near) + "?" if near else ""
    return f"unknown {kind} '{name}':{hint} Known: {', '.join(names)}"
