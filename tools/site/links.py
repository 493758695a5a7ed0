"""Links between documents as links between pages; others go to the repository, or to a copy of the file."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
COPIES = "_files"
"""The folder of the site with copies of files that are no pages."""


@dataclass(frozen=True)
class Target:
    """Where a link of a document leads.

    Attributes:
        page: the name of the page; empty if the link leads elsewhere.
        file: the path of the file or folder in the repository; empty if it is a page.
        fragment: the part after ``#``.
    """

    page: str = ""
    file: str = ""
    fragment: str = ""


def is_relative(uri: str) -> bool:
    """Whether a link leads to a file beside the document.

    >>> [is_relative(uri) for uri in ("data.md#images", "https://example.org", "#images", "mailto:a@b.c")]
    [True, False, False, False]
    """
    return bool(uri) and not uri.startswith("#") and not SCHEME.match(uri)


def resolve(uri: str, source: PurePosixPath, pages: Mapping[str, str], repository: Path) -> Target | None:
    """What a relative link in a document means; None if there is no such file.

    Args:
        uri: the link.
        source: the path of the document in the repository.
        pages: the name of the page of each document, by path.
        repository: the checkout.
    """
    path, _, fragment = unquote(uri).partition("#")
    wanted = posixpath.normpath(posixpath.join(source.parent.as_posix(), path))
    for document in (wanted, posixpath.join(wanted, "README.md")):
        if document in pages:
            return Target(page=pages[document], fragment=fragment)
    if wanted.startswith("..") or not (repository / wanted).exists():
        return None
    return Target(file=wanted, fragment=fragment)


def link_pages(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Resolve the relative links of a page, and warn about those that lead nowhere."""
    from docutils import nodes
    from sphinx.util import logging

    source = app.config.site_sources.get(name)
    if source is None:
        return
    pages = {path: page for page, path in app.config.site_sources.items() if not page.startswith("leaderboard/")}
    logger = logging.getLogger(__name__)
    for node in doctree.findall(nodes.reference):
        uri = node.get("refuri", "")
        if node.get("internal") or not is_relative(uri):
            continue
        target = resolve(uri, PurePosixPath(source), pages, Path(app.config.site_checkout))
        if target is None:
            logger.warning("no such file: %s", uri, location=node)
        elif target.page:
            _check_fragment(app, target, node)
            address = app.builder.get_relative_uri(name, target.page)
            node["refuri"] = f"{address}#{target.fragment}" if target.fragment else address or "#"
            node["internal"] = True
        else:
            node["refuri"] = _file_address(app, name, target)


def _check_fragment(app: Sphinx, target: Target, node: nodes.Node) -> None:
    """Warn if a page has no such heading; headings have the anchors that GitHub gives them."""
    from sphinx.util import logging

    headings = app.env.metadata.get(target.page, {}).get("myst_slugs", {})
    if target.fragment and target.fragment not in headings:
        logging.getLogger(__name__).warning("%s has no heading #%s", target.page, target.fragment, location=node)


def _file_address(app: Sphinx, name: str, target: Target) -> str:
    """The address of a file in the repository; without one, the file is copied to the site."""
    repository, path = app.config.site_repository, Path(app.config.site_checkout) / target.file
    if repository:
        kind = "tree" if path.is_dir() else "blob"
        return f"{repository.rstrip('/')}/{kind}/{app.config.site_branch}/{target.file}"
    copy = Path(app.outdir) / COPIES / target.file
    if path.is_dir():
        shutil.copytree(path, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    elif not copy.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    up = "../" * name.count("/")
    return f"{up}{COPIES}/{target.file}"
