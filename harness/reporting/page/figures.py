"""Figures of the page: pictures within the file, as sharp as they can be without making it large."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.display.figures.saving import figure_bytes
from harness.display.figures.style import TWO_COLUMNS
from harness.reporting.page.tables import csv_link

if TYPE_CHECKING:
    from harness.display.exhibit import Drawing

PAGE_WIDTH = 5.0
"""Inches that a figure of an exhibit is drawn for: between one and two columns of a paper."""

PIXELS = 112
"""On the page for each inch, so that 8 pt reads like the text around it."""

LARGEST_SVG = 120_000
"""Bytes; beyond this a figure holds so many marks that its pixels are smaller than its outlines."""


@dataclass(frozen=True)
class PageFigure:
    """A figure as the page shows it.

    Attributes:
        name: its anchor.
        caption: what it shows.
        alternative: the same for those who do not see it.
        source: the picture as a data URI.
        width: in pixels.
        height: in pixels.
        download: its numbers as a data URI of CSV; nothing where they would be too large.
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
        """Whether a narrow screen would make it too small to be read."""
        return self.width > PIXELS * (PAGE_WIDTH + 1)


def page_figure(drawing: Drawing) -> PageFigure:
    """A figure as a picture within the page; one with very many marks becomes pixels."""
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
