"""Figures on the page, embedded in the file: vector graphics, or pixels if those would be large."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.display.figures.saving import figure_bytes
from harness.display.figures.style import TWO_COLUMNS
from harness.reporting.page.tables import csv_link

if TYPE_CHECKING:
    from harness.display.figures.drawing import Drawing

PAGE_WIDTH = 5.0
"""Width in inches of an exhibit's figure on the page: between one and two columns of a paper."""

PIXELS = 112
"""Pixels per inch on the page, so that 8 pt is as large as the surrounding text."""

LARGEST_SVG = 120_000
"""Maximum bytes of an SVG; a larger figure has so many marks that a PNG is smaller."""


@dataclass(frozen=True)
class PageFigure:
    """A figure on the page.

    Attributes:
        name: its anchor.
        caption: what it shows.
        alternative: the alternative text.
        source: the picture as a data URI.
        width: the width in pixels.
        height: the height in pixels.
        download: its numbers as a CSV data URI; empty if they are too large.
    """

    name: str
    caption: str
    alternative: str
    source: str = field(repr=False)
    width: int
    height: int
    download: str = field(repr=False)

    @property
    def wide(self) -> bool:
        """Whether it would be too small to read on a narrow screen."""
        return self.width > PIXELS * (PAGE_WIDTH + 1)


def page_figure(drawing: Drawing) -> PageFigure:
    """Draw a figure as an embedded picture; one with many marks becomes a PNG."""
    figure = drawing.draw(TWO_COLUMNS if drawing.wide else PAGE_WIDTH)
    kind, picture = "svg+xml", figure_bytes(figure, "svg", transparent=True)
    if len(picture) > LARGEST_SVG:
        kind, picture = "png", figure_bytes(figure, "png", transparent=True)
    inches = figure.get_size_inches()
    first = drawing.caption.partition(". ")[0].rstrip(".")
    return PageFigure(
        name=drawing.name,
        caption=drawing.caption,
        alternative=f"Figure: {first}.",
        source=f"data:image/{kind};base64,{base64.b64encode(picture).decode()}",
        width=round(PIXELS * inches[0]),
        height=round(PIXELS * inches[1]),
        download=csv_link(drawing.data),
    )
