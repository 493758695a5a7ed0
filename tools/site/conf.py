"""The configuration of Sphinx; :mod:`tools.site.build` adds what depends on the checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.site.accessible import complete
from tools.site.formulas import add_formulas
from tools.site.links import link_pages
from tools.site.shapes import shape_tables

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "nas-proxy-harness"
author = "The nas-proxy-harness authors"
copyright = author
language = "en"
root_doc = "index"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# As on GitHub: dollars around formulas, a fence for displayed ones, and anchors made from headings.
myst_enable_extensions = ["dollarmath", "strikethrough"]
myst_fence_as_directive = ["math"]
myst_dmath_double_inline = True
myst_heading_anchors = 6
# tools.site.links resolves links, so that they mean what they mean in the repository.
myst_all_links_external = True
nb_execution_mode = "off"
# Documents may skip a level of headings, as on GitHub.
suppress_warnings = ["myst.header"]

napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False

html_theme = "furo"
html_title = "nas-proxy-harness"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
# It would fetch every page that is found, which browsers refuse for pages from a folder.
html_show_search_summary = False
html_math_renderer = "site_mathml"
html_static_path = ["static"]
html_css_files = ["site.css", "leaderboard.css"]
pygments_style = "xcode"
pygments_dark_style = "github-dark"

_fonts = {
    "font-stack": 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
    "font-stack--headings": '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "Noto Serif", '
    "Georgia, serif",
    "font-stack--monospace": 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
}
html_theme_options = {
    "light_css_variables": {
        **_fonts,
        "color-background-primary": "#fdfdfb",
        "color-background-secondary": "#f5f5f1",
        "color-background-border": "#e1e2dd",
        "color-foreground-primary": "#1b1e22",
        "color-foreground-secondary": "#575e66",
        "color-foreground-muted": "#5f666e",
        "color-brand-primary": "#00568a",
        "color-brand-content": "#00568a",
        "color-brand-visited": "#00568a",
    },
    "dark_css_variables": {
        **_fonts,
        "color-background-primary": "#131517",
        "color-background-secondary": "#1a1d20",
        "color-background-border": "#32363b",
        "color-foreground-primary": "#e6e7e4",
        "color-foreground-secondary": "#a4abb2",
        "color-foreground-muted": "#a4abb2",
        "color-brand-primary": "#7cc0ee",
        "color-brand-content": "#7cc0ee",
        "color-brand-visited": "#7cc0ee",
    },
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the links and formulas of the site."""
    app.add_config_value("site_checkout", "", "env")
    app.add_config_value("site_repository", "", "env")
    app.add_config_value("site_branch", "main", "env")
    app.add_config_value("site_sources", {}, "env")
    app.connect("doctree-resolved", link_pages)
    app.connect("doctree-read", shape_tables)
    # After the theme has made its contents.
    app.connect("html-page-context", complete, priority=900)
    add_formulas(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
