"""What a check of files found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: what was checked.
        right: whether it is correct.
        words: what was found, and how to fix it if something is wrong.
    """

    what: str
    right: bool
    words: str

    def line(self) -> str:
        """The finding as one line for a terminal.

        >>> Finding("batches", False, "missing").line()
        '✗ batches: missing'
        """
        return f"{'✓' if self.right else '✗'} {self.what}: {self.words}"
