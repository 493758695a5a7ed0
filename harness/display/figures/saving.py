"""Save figures to files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.visible import visible_page
from harness.display.figures.style import paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATE = {"pdf": "CreationDate", "svg": "Date"}
"""The metadata key for the time of writing in each format; PNG files have none."""


def save_figure(figure: Figure, stem: Path, pages: Sequence[Figure] = ()) -> list[Path]:
    """Write a figure as PDF and PNG in the style of a paper; the same figure gives the same bytes.

    Args:
        figure: the figure.
        stem: the path without its suffix.
        pages: the pages of the PDF file, if the figure does not fit one page of a paper.
    """
    pdf, png = (stem.with_name(f"{stem.name}.{kind}") for kind in ("pdf", "png"))
    pdf.write_bytes(_paged_pdf(pages) if len(pages) > 1 else figure_bytes(figure, "pdf"))
    png.write_bytes(figure_bytes(figure, "png"))
    return [pdf, png]


def _paged_pdf(pages: Sequence[Figure]) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages

    file = io.BytesIO()
    with paper_style(), PdfPages(file, metadata={DATE["pdf"]: None}) as pdf:
        for page in pages:
            _show_every_character(page)
            pdf.savefig(page)
    return file.getvalue()


def figure_bytes(figure: Figure, kind: str, *, transparent: bool = False) -> bytes:
    """The figure as ``pdf``, ``png`` or ``svg``; the same figure gives the same bytes."""
    # Without a date, the same data give the same bytes; the style file makes the identifiers of an SVG fixed.
    metadata = {DATE[kind]: None} if kind in DATE else None
    file = io.BytesIO()
    _show_every_character(figure)
    with paper_style():
        figure.savefig(file, format=kind, metadata=metadata, transparent=transparent)
    return file.getvalue()


def _show_every_character(figure: Figure) -> None:
    from matplotlib.text import Text

    for written in figure.findobj(Text):
        assert isinstance(written, Text)
        if not written.get_text().isprintable():
            written.set_text(visible_page(written.get_text()))
