"""The style of the figures: sizes, colours and the style file, applied without changing matplotlib's global state."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

ONE_COLUMN = 3.3
TWO_COLUMNS = 6.8
"""Widths of a figure in inches in a two-column paper."""

PAGE_HEIGHT = 8.7
"""Maximum height of a figure in inches: the text height of an A4 or letter page, less two lines of caption."""

# Okabe & Ito's palette, distinguishable with every common colour vision: https://jfly.uni-koeln.de/color/
BLACK = "#000000"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREY = "#7F7F7F"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
"""The colours of several lines, in order of use."""


def ignore_missing_backend() -> None:
    """Make matplotlib importable if ``MPLBACKEND`` names a backend that is not installed.

    A command started from a notebook inherits the notebook's backend, which may be missing in the command's
    environment; importing matplotlib then fails. No backend is needed here, because figures are drawn to files. A
    backend that is installed or already in use is kept.
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
    """The width in inches of a figure that spans one or two columns of a paper."""
    return ONE_COLUMN if columns == "1" else TWO_COLUMNS


def paper_style() -> AbstractContextManager[None]:
    """The style of ``paper.mplstyle`` within a ``with`` block."""
    import matplotlib as mpl

    return mpl.rc_context(fname=Path(__file__).with_name("paper.mplstyle"))
