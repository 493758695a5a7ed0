"""Other ways to write a benchmark's architectures, as its users' tables do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One way to write architectures other than by their official identifiers.

    Attributes:
        name: what it is, for messages: ``op indices of NASLib``.
        parse: the official identifier of a text, or None if the text is not of this form. It must not raise errors.
        example: what a text looks like.
        columns: for descriptions in two columns, the names that each may have, as by
            :func:`harness.data.columns.column_key`; ``parse`` then gets both texts, with a blank between them.
    """

    name: str
    parse: Callable[[str], str | None]
    example: str
    columns: tuple[tuple[str, ...], ...] = ()
