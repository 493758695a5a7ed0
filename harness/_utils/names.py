"""Resolve names that people type, and suggest similar ones if a name is unknown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

MOST_LISTED = 12
"""The maximum number of names listed in a message."""


def folded(name: str) -> str:
    """A name in lower case, without separators and ``#``.

    >>> {folded(name) for name in ("zen_score", "Zen-Score", "zen score")}, folded("#Params")
    ({'zenscore'}, 'params')
    """
    return re.sub(r"[-_\s#]+", "", name).casefold()


def resolved(name: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """The known name that matches a typed name exactly, up to spelling, or by an alias.

    Exact matches come first, then other spellings, then aliases. An alias of two entries matches neither. ``known`` has
    each name with its aliases.

    >>> known = {"naswot": ["nwot"], "zen": ["Zen-Score"]}
    >>> resolved("NWOT", known), resolved("zen_score", known), resolved("zen", known), resolved("zn", known)
    ('naswot', 'zen', 'zen', None)
    """
    if name in known:
        return name
    wanted = folded(name)
    by_name = [entry for entry in known if folded(entry) == wanted]
    by_alias = [entry for entry, aliases in known.items() if wanted in map(folded, aliases)]
    for found in (by_name, by_alias):
        if found:
            return found[0] if wanted and len(found) == 1 else None
    return None


def unknown_name(kind: str, name: str, known: Iterable[str], listing: str = "") -> str:
    """One line that gives the unknown name, similar known names, and all names or the command that lists them.

    >>> unknown_name("proxy", "synflo", ["snip", "synflow"])
    "unknown proxy 'synflo': did you mean 'synflow'? Known: snip, synflow"
    >>> unknown_name("proxy", "synflo", ["synflow", *map(str, range(60))], "harness list proxies")
    "unknown proxy 'synflo': did you mean 'synflow'? 'harness list proxies' shows all"
    """
    names = sorted(set(known))
    by_lower = {known_name.lower(): known_name for known_name in names}
    near = [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
    hint = " did you mean " + " or ".join(f"'{n}'" for n in near) + "?" if near else ""
    if len(names) > MOST_LISTED and listing:
        return f"unknown {kind} '{name}':{hint} '{listing}' shows all"
    return f"unknown {kind} '{name}':{hint} Known: {listed(names)}"


def listed(names: Iterable[object]) -> str:
    """A list of names for a message, shortened if there are many.

    >>> listed(["a", "b"]), listed(range(100)), listed([])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more', 'none')
    """
    every = [str(name) for name in names]
    more = f" and {len(every) - MOST_LISTED} more" if len(every) > MOST_LISTED else ""
    return (", ".join(every[:MOST_LISTED]) or "none") + more
