"""Tables of documents: cells with sentences get room, and short ones stay on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

SHORT = 28
LONG = 60
"""Lengths of text; between the two, a cell may break its lines where it likes."""


def shape_tables(app: Sphinx, doctree: nodes.document) -> None:
    """Mark the cells of a document's tables by the length of their text; the style sheet does the rest."""
    from docutils import nodes

    for entry in doctree.findall(nodes.entry):
        shape = shape_of(entry.astext())
        if shape:
            entry["classes"].append(shape)


def shape_of(text: str) -> str:
    """The class of a cell with this text.

    >>> shape_of("0.53"), shape_of("Conditioning of the feature maps, combined with the curvature of the outputs.")
    ('short', 'long')
    """
    if len(text) <= SHORT:
        return "short"
    return "long" if len(text) >= LONG else ""
