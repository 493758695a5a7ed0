"""Formulas as MathML, which browsers draw without a script and without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def mathml(formula: str, *, display: bool = False) -> str:
    """A LaTeX formula as MathML, with its source for readers that cannot show it.

    Raises:
        ValueError: if it is no formula; the message has the formula.
    """
    from latex2mathml.converter import convert

    try:
        return str(convert(" ".join(formula.split()), display="block" if display else "inline"))
    except Exception as error:
        # The library raises various kinds of errors, none of which names the formula.
        raise ValueError(f"cannot typeset the formula {formula!r}: {type(error).__name__}") from error


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    from docutils.nodes import SkipNode

    writer.body.append(mathml(node.astext()))
    raise SkipNode


def visit_display(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, which scrolls by itself if it is too wide."""
    from docutils.nodes import SkipNode

    writer.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), display=True)}</div>\n')
    raise SkipNode


def add_formulas(app: Sphinx) -> None:
    """Make Sphinx write formulas as MathML."""
    app.add_html_math_renderer("site_mathml", (visit_inline, None), (visit_display, None))
