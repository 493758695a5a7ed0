"""Build the site: write the source pages, then let Sphinx make HTML from them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.reporting.page.build import sorting_script
from tools.site.api import write_api
from tools.site.documents import documents, write_documents
from tools.site.leaderboard.write import write_leaderboard

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Options:
    """What to build the site from, and where.

    Attributes:
        out: the folder of the site; its content is replaced.
        scores: the folder with the boards and the scores behind them.
        repository: the address of the repository, for links to files that are no pages; empty: copies of the files.
        branch: the branch that these links show.
    """

    out: Path
    scores: Path = REPOSITORY / "results" / "scores"
    repository: str = ""
    branch: str = "main"


def build(options: Options) -> int:
    """Build the site; return 0, or another number if there was an error or a warning."""
    source = options.out.parent / f"{options.out.name}-source"
    for folder in (source, options.out):
        shutil.rmtree(folder, ignore_errors=True)
    pages = documents(REPOSITORY)
    write_documents(REPOSITORY, source, pages)
    write_api(source)
    static = source / "_static"
    static.mkdir()
    (static / "sorting.js").write_text(sorting_script(), encoding="utf-8")
    leaderboard = write_leaderboard(options.scores, REPOSITORY, source, options.out)
    sources = {name: path.as_posix() for name, path in {**pages, **leaderboard}.items()}
    return _run_sphinx(options, source, sources)


def _run_sphinx(options: Options, source: Path, sources: Mapping[str, str]) -> int:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = {
        "site_checkout": str(REPOSITORY),
        "site_repository": options.repository,
        "site_branch": options.branch,
        "site_sources": dict(sources),
        "html_static_path": [str(HERE / "static"), str(source / "_static")],
        "exclude_patterns": ["_static"],
    }
    with patch_docutils(HERE), docutils_namespace():
        app = Sphinx(
            source,
            HERE,
            options.out,
            options.out.parent / f"{options.out.name}-doctrees",
            "html",
            confoverrides=settings,
            freshenv=True,
            warningiserror=True,
            parallel=2,
        )
        app.build(force_all=True)
    return int(app.statuscode)
