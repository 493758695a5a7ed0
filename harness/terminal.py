"""The terminal that commands print to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_ELSEWHERE = 140


def console() -> Console:
    """The terminal at its own width; wide enough for the whole table where the output goes elsewhere."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=WIDTH_ELSEWHERE)
