"""The look of the figures: sizes, colours and the style file, applied without touching matplotlib's global state."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

ONE_COLUMN = 3.3
TWO_COLUMNS = 6.8
"""Widths of a figure in inches, as two-column papers print it."""

PAGE_HEIGHT = 8.7
"""Inches that a figure may be high: the text of a page of A4 or letter paper, less two lines of a caption."""

# Okabe & Ito's palette, told apart with every common colour vision: https://jfly.uni-koeln.de/color/
BLACK = "#000000"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREY = "#7F7F7F"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
"""The colours of several lines, in the order in which they are given out."""


def ignore_missing_backend() -> None:
    """Let matplotlib be imported where ``MPLBACKEND`` names a backend that is not installed.

    Every command that a notebook starts inherits the notebook's own backend, which the command's environment need not
    have; matplotlib then refuses to be imported. Nothing here asks for a backend: figures are drawn to files. A
    backend that is installed, and one that is in use already, stays what it is.
    """
    name = os.environ.get("MPLBACKEND", "")
    if "matplotlib" in sys.modules or not name.startswith("module://"):
        return
    try:
        found = importlib.util.find_spec(name.removeprefix("module://"))
    except (ImportError, ValueError):
        found = None
    if found is None:
        del os.environ["MPLBACKEND"]


def inches(columns: Literal["1", "2"]) -> float:
    """The width of a figure of so many columns of a paper."""
    return ONE_COLUMN if columns == "1" else TWO_COLUMNS


def paper_style() -> AbstractContextManager[None]:
    """The style of ``paper.mplstyle`` for the length of a ``with`` block."""
    import matplotlib as mpl

    return mpl.rc_context(fname=Path(__file__).with_name("paper.mplstyle"))
