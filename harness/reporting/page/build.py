"""Putting the page together: its sections, then the template with style and script inside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness._utils.citations import citation
from harness._utils.visible import json_page, visible_page
from harness.display.exhibit import Exhibit
from harness.display.tables.heading import Heading
from harness.display.tables.rows import Labels
from harness.registry import aggregates, proxy_facts
from harness.reporting.page.definitions import DEFINITIONS
from harness.reporting.page.figures import PageFigure, page_figure
from harness.reporting.page.summary import Summary
from harness.reporting.page.tables import PageTable, page_table

if TYPE_CHECKING:
    import pandas as pd

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}(?:v\d+)?)")


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own.

    Attributes:
        name: its anchor.
        title: its heading.
        tables: shown first.
        figures: shown after them.
        facts: what its numbers rest on where that is not what the page begins with.
        notes: sentences that hold for all of it.
    """

    name: str
    title: str
    tables: tuple[PageTable, ...] = ()
    figures: tuple[PageFigure, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A proxy of the page and where it comes from.

    Attributes:
        name: its registered name.
        label: how the page writes it.
        summary: what it computes.
        facts: which way is better and what it looks at.
        reference: the paper.
        link: the paper's address; nothing where none is known.
    """

    name: str
    label: str
    summary: str
    facts: str
    reference: str
    link: str


def html_page(
    report: Exhibit,
    summary: Summary,
    labels: Labels,
    manifest: Mapping[str, Any],
    exhibits: Iterable[Exhibit] = (),
    missing: Sequence[str] = (),
) -> str:
    """The report of a run and further analyses of it as one HTML file that needs no network.

    The same report gives the same text. Every name that a user chose is escaped, and the page allows no script but its
    own.

    Args:
        report: of the run, see :func:`harness.reporting.tables.exhibit_of`, with its figures.
        summary: what was found, in words.
        labels: display names of proxies.
        manifest: versions and settings of the run.
        exhibits: further analyses, in the order in which they are shown.
        missing: why others are not shown, a sentence each.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    # Everything is escaped but the two files of our own, and the manifest's quotes need no harm to stay readable.
    environment = Environment(
        loader=PackageLoader("harness.reporting.page", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    sections = _sections(report, exhibits)
    costs = [page_table(grid) for grid in report.grids if grid.name == "costs"]
    heading = report.heading
    assert isinstance(heading, Heading)
    page = environment.get_template("page.html.j2").render(
        title=f"{heading.benchmark}, {heading.dataset}",
        heading=heading,
        summary=summary,
        sections=sections,
        costs=costs[0] if costs else None,
        missing=missing,
        papers=_papers(report.grids[0].data, labels),
        definitions=DEFINITIONS,
        titles={section.name: section.title for section in sections} | {"costs": "Costs"},
        manifest=json_page(manifest).rstrip("\n"),
        style=Markup(style),  # noqa: S704
        style_hash=_digest(style),
        script=Markup(script),  # noqa: S704
        script_hash=_digest(script),
    )
    return visible_page(page)


def _sections(report: Exhibit, exhibits: Iterable[Exhibit]) -> list[Section]:
    main, *others = report.grids
    chart, scatter = map(page_figure, report.drawings)
    return [
        Section("correlations", "Rank correlation with accuracy", (page_table(main),), (chart,)),
        *(
            Section("sets", "Kendall τ in each set of architectures", (page_table(grid),))
            for grid in others
            if grid.name == "sets"
        ),
        Section("scatter", "Score against accuracy", figures=(scatter,)),
        *(_section(exhibit, report.heading.entries()) for exhibit in exhibits),
    ]


def _section(exhibit: Exhibit, known: Sequence[tuple[str, str]]) -> Section:
    return Section(
        f"analysis-{exhibit.name}",
        exhibit.title,
        tuple(map(page_table, exhibit.grids)),
        tuple(map(page_figure, exhibit.drawings)),
        tuple(entry for entry in exhibit.heading.entries() if entry not in known),
        exhibit.notes,
    )


def _papers(table: pd.DataFrame | None, labels: Labels) -> list[Paper]:
    """Every row of the table that is a known proxy or aggregate, by its label."""
    assert table is not None
    known, pooled = proxy_facts(), aggregates()
    papers = []
    for name in dict.fromkeys(table["proxy"]):
        label = labels.get(name, name)
        if name in known:
            proxy = known[name]
            facts = f"{proxy.better.capitalize()} is better; looks at {proxy.data}"
            papers.append(_paper(name, label, proxy.summary, facts, proxy.cite))
        elif name in pooled:
            facts = f"Ranks of {', '.join(pooled[name].parts)}"
            papers.append(_paper(name, label, pooled[name].summary, facts, pooled[name].cite))
    return sorted(papers, key=lambda paper: paper.label.lower())


def _paper(name: str, label: str, summary: str, facts: str, cite: str) -> Paper:
    reference = citation(cite)
    found = ARXIV.search(reference)
    return Paper(name, label, summary, facts, reference, f"https://arxiv.org/abs/{found[1]}" if found else "")


def _asset(name: str) -> str:
    return files("harness.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What a content security policy calls a script or a style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
