"""Write the source pages of the leaderboard, and copy the files that they offer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from harness._utils.visible import visible_page
from tools.site.documents import toctree
from tools.site.leaderboard.boards import Board, Boards, read_boards
from tools.site.leaderboard.known import Known, KnownBenchmark, known_benchmarks, known_proxies
from tools.site.leaderboard.overview import standings
from tools.site.leaderboard.packing import packed
from tools.site.leaderboard.relatives import relatives, stabilities
from tools.site.leaderboard.views import (
    board_tables,
    boards_table,
    coverage_table,
    printed_table,
    proxy_boards_table,
    relatives_table,
    sizes_table,
    stability_table,
    standings_table,
)

if TYPE_CHECKING:
    from jinja2 import Environment

PROXIES = PurePosixPath("docs/proxies.md")
"""The document with the definitions of all proxies; links in a definition are relative to it."""


@dataclass(frozen=True)
class Sources:
    """Everything that the pages are made from.

    Attributes:
        boards: the boards.
        proxies: the registered proxies and aggregates.
        benchmarks: the registered benchmarks.
    """

    boards: Boards
    proxies: Mapping[str, Known]
    benchmarks: Mapping[str, KnownBenchmark]

    def label(self, proxy: str) -> str:
        """A proxy's name in tables."""
        return self.proxies[proxy].label if proxy in self.proxies else proxy


def write_leaderboard(scores: Path, repository: Path, folder: Path, out: Path) -> dict[str, PurePosixPath]:
    """Write the pages, and return the document that the links of each page are relative to, by page.

    Args:
        scores: the folder with the boards; it need not exist.
        repository: the checkout.
        folder: the folder of source pages.
        out: the folder of the site, which gets copies of the scores.

    Raises:
        BoardError: if a board cannot be read.
    """
    sources = Sources(read_boards(scores), known_proxies(repository / PROXIES), known_benchmarks())
    place = folder / "leaderboard"
    boards = sources.boards.boards
    names = sorted({*sources.proxies, *(row.proxy for board in boards for row in board.rows)})
    spaces = sorted({*sources.benchmarks, *(board.benchmark for board in boards)})
    _write_index(sources, place, names, spaces)
    for board in boards:
        _write_board(board, sources, place)
        _copy_files(board, out / "leaderboard" / "files")
    for space in spaces:
        _write_benchmark(space, sources, place)
    _write_proxies(names, sources, place, repository)
    return {f"leaderboard/proxies/{name}": PROXIES for name in names if name in sources.proxies}


def render(template: str, **content: Any) -> str:
    """A part of a page; everything in it is escaped."""
    return visible_page(environment().get_template(template).render(**content))


def environment() -> Environment:
    """The templates, which escape what is put into them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def markdown(text: str) -> str:
    r"""Text as Markdown that shows exactly this text.

    >>> print(markdown("ZiCo (|g|) <b>"))
    ZiCo \(\|g\|\) \<b\>
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _write_page(file: Path, title: str, text: str, fragment: str, contents: str = "") -> None:
    """A source page: a title, Markdown, then HTML from a file beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.html")
    part.write_text(fragment, encoding="utf-8")
    lines = ["---", "hide-toc: true", "---", "", f"# {markdown(title)}", "", text, ""]
    lines += ["```{raw} html", f":file: {part.name}", "```", "", contents]
    file.write_text("\n".join(lines), encoding="utf-8")


def _write_index(sources: Sources, place: Path, names: list[str], spaces: list[str]) -> None:
    boards = sources.boards.boards
    text = (
        "Do zero-shot proxies rank networks better than counting their parameters? Each board ranks proxies on the "
        "networks of one benchmark and data set by Kendall τ with the true accuracies. Every score behind it can be "
        "downloaded, and comes with the command that computes it again."
    )
    fragment = render(
        "index.html.j2",
        root="",
        table=standings_table(standings(boards), sources.proxies, "") if boards else None,
        boards=boards_table(boards, sources.proxies, "") if boards else None,
        coverage=coverage_table(boards, sources.proxies, "") if boards else None,
        missing=sources.boards.missing,
    )
    below = [*(f"benchmarks/{space}/index" for space in spaces), "proxies/index"]
    _write_page(place / "index.md", "Leaderboard", text, fragment, toctree("", below))


def _write_board(board: Board, sources: Sources, place: Path) -> None:
    root = "../../"
    file = place / "benchmarks" / board.benchmark / f"{board.dataset}.md"
    tables = board_tables(board, sources.proxies, root)
    fragment = render(
        "board.html.j2",
        root=root,
        board=board,
        tables=tables,
        others=packed(tables) if len(tables) > 1 else "",
        printed=printed_table(board, sources.proxies, root),
        files=f"{root}files/{board.benchmark}/{board.dataset}",
    )
    _write_page(file, f"{board.title}: {board.dataset}", "", fragment)


def _write_benchmark(name: str, sources: Sources, place: Path) -> None:
    root = "../../"
    boards = [board for board in sources.boards.boards if board.benchmark == name]
    known = sources.benchmarks.get(name)
    fragment = render(
        "benchmark.html.j2",
        root=root,
        name=name,
        known=known,
        boards=boards_table(boards, sources.proxies, root) if boards else None,
        sizes=sizes_table(boards, sources.proxies, root) if boards else None,
    )
    contents = toctree("", [board.dataset for board in boards]) if boards else ""
    title = known.title if known else boards[0].title
    _write_page(place / "benchmarks" / name / "index.md", title, "", fragment, contents)


def _write_proxies(names: list[str], sources: Sources, place: Path, repository: Path) -> None:
    boards, root = sources.boards.boards, "../"
    listed = [
        f"- [{markdown(sources.label(name))}]({name}.md)"
        + (f": {markdown(sources.proxies[name].summary)}" if name in sources.proxies else "")
        for name in sorted(names, key=lambda name: sources.label(name).lower())
    ]
    _write_page(place / "proxies" / "index.md", "Proxies", "\n".join(listed), "", toctree("", names))
    lower = frozenset(name for name, known in sources.proxies.items() if known.facts["Better"].startswith("lower"))
    similar = relatives(boards, lower)
    stable = stabilities(repository / "results" / "reference")
    for name in names:
        known = sources.proxies.get(name)
        fragment = render(
            "proxy.html.j2",
            root=root,
            name=name,
            known=known,
            boards=proxy_boards_table(name, boards, root),
            stability=stability_table(stable.get(name, ()), f"{root}../results/reference/"),
            relatives=relatives_table(similar.get(name, ()), sources.proxies, root),
        )
        text = known.definition if known else ""
        # The facts follow as a list; in the document they are a paragraph of their own at the end.
        text = re.sub(r"\n+\*better: .*\Z", "\n", text, flags=re.DOTALL)
        text = re.sub(r"\n+\*(?:variant of|rank aggregate of) .*\Z", "\n", text, flags=re.DOTALL)
        _write_page(place / "proxies" / f"{name}.md", sources.label(name), text, fragment)


def _copy_files(board: Board, folder: Path) -> None:
    """Copy the scores, their facts and the board's table to the site."""
    target = folder / board.benchmark / board.dataset
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(board.file, target / "board.csv")
    for entry in board.entries.values():
        for file in filter(None, (entry.scores, entry.metadata)):
            copy = target / file.parent.name / file.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, copy)
