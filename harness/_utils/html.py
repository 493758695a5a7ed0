"""Facts about an object as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from harness._utils.visible import visible


def facts_html(title: str, facts: Mapping[str, object]) -> str:
    """A small table with a title and one row per fact; empty facts are omitted.

    >>> facts_html("digits", {"Sets": "all", "Other names": ""})
    '<table><caption><strong>digits</strong></caption><tbody><tr><th>Sets</th><td>all</td></tr></tbody></table>'
    """
    rows = "".join(
        f"<tr><th>{_text(name)}</th><td>{_text(fact)}</td></tr>" for name, fact in facts.items() if str(fact)
    )
    return f"<table><caption><strong>{_text(title)}</strong></caption><tbody>{rows}</tbody></table>"


def _text(value: object) -> str:
    return escape(visible(str(value)))
