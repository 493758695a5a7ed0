"""The documents of the repository as source pages, in the same folders, so that links keep their meaning."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

START = "index"
"""The name of the page that a folder opens with; on the site, a README is that page."""

ROOT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")

IMAGE = re.compile(r"!\[[^\]]*\]\(([^)#]+?)\)")
SECTION = re.compile(r"^## (.+)$")
ITEM = re.compile(r"^- \[[^\]]+\]\(([^)#]+)\)")


def documents(repository: Path) -> dict[str, PurePosixPath]:
    """The documents that become pages: the path of each in the repository, by the name of its page.

    Raises:
        FileNotFoundError: if the folder is no checkout of the repository.
    """
    found = [repository / name for name in ROOT]
    found += sorted((repository / "docs").glob("*.md")) + sorted((repository / "docs").glob("*.ipynb"))
    found += sorted((repository / "results" / "reference").rglob("README.md"))
    found += sorted((repository / "results" / "scores").glob("README.md"))
    for path in found:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; the site is built from a checkout of the repository")
    sources = [PurePosixPath(path.relative_to(repository).as_posix()) for path in found]
    return {page_name(source): source for source in sources}


def page_name(source: PurePosixPath) -> str:
    """The name of a document's page.

    >>> page_name(PurePosixPath("docs/README.md")), page_name(PurePosixPath("docs/data.md"))
    ('docs/index', 'docs/data')
    """
    return (source.with_name(START) if source.stem == "README" else source.with_suffix("")).as_posix()


def write_documents(repository: Path, folder: Path, sources: Mapping[str, PurePosixPath]) -> None:
    """Write the documents and their pictures to the folder of source pages.

    The start page gets the contents of the site, which are those of ``docs/README.md``.
    """
    for name, source in sources.items():
        target = folder / f"{name}{source.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (repository / source).read_text(encoding="utf-8")
        if name == START:
            text += contents_of((repository / "docs" / "README.md").read_text(encoding="utf-8"))
        elif name == "results/reference/index":
            below = [other for other in sources if other.startswith("results/reference/") and other != name]
            text += toctree("", (PurePosixPath(other).relative_to("results/reference").as_posix() for other in below))
        target.write_text(text, encoding="utf-8")
        if source.suffix == ".md":
            for picture in IMAGE.findall(text):
                _copy_picture(repository / source.parent / picture, repository, folder)


def _copy_picture(picture: Path, repository: Path, folder: Path) -> None:
    if picture.is_file():
        target = folder / picture.resolve().relative_to(repository.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)


def contents_of(overview: str) -> str:
    """The contents of the site: the sections and pages that the overview of the documentation lists."""
    sections: dict[str, list[str]] = {}
    for line in overview.splitlines():
        if section := SECTION.match(line):
            sections[section[1]] = []
        elif (item := ITEM.match(line)) and sections:
            target = PurePosixPath(posixpath.normpath(f"docs/{item[1]}"))
            sections[[*sections][-1]].append(page_name(target))
    sections.setdefault("Reference", []).append("api/index")
    return (
        toctree("", ("leaderboard/index", "docs/index"))
        + "".join(toctree(caption, names) for caption, names in sections.items())
        + toctree("Project", ("CONTRIBUTING", "CHANGELOG"))
    )


def toctree(caption: str, names: Iterable[str]) -> str:
    """A part of the contents, shown beside every page but not on the page itself.

    >>> print(toctree("Reference", ["docs/api"]))
    <BLANKLINE>
    ```{toctree}
    :hidden:
    :caption: Reference
    docs/api
    ```
    <BLANKLINE>
    """
    lines = ["", "```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), *names, "```", ""]
    return "\n".join(lines)
