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
    # Code and tables that are wider than the page are scrolled with the keyboard only if they can have the focus.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    # Parameters on lines of their own are no definitions.
    '<dl>\n<dd><em class="sig-param">': '<dl role="presentation">\n<dd><em class="sig-param">',
    '<dd><em class="sig-param">': '<dd role="presentation"><em class="sig-param">',
}


def complete(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add to a page what it lacks, before it is put into the template."""
    for part in PARTS:
        for lacking, whole in LACKING.items():
            if part in context:
                context[part] = context[part].replace(lacking, whole)
