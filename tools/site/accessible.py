"""What Sphinx's HTML lacks for those who use a keyboard or a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

PARTS = ("body", "furo_navigation_tree")
"""The parts of a page that Sphinx and the theme have made."""

LACKING = {
    # A caption in the contents is a heading without a level.
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    # Code that is wider than the page is scrolled with the keyboard only if it can have the focus.
    "<pre>": '<pre tabindex="0">',
}


def complete(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add to a page what it lacks, before it is put into the template."""
    for part in PARTS:
        for lacking, whole in LACKING.items():
            if part in context:
                context[part] = context[part].replace(lacking, whole)
