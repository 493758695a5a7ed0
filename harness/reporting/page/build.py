"""Assemble the page: its sections, and the template with style and script."""

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
from harness.display.tables.heading import Entry, Heading
from harness.display.tables.rows import Labels, label_of
from harness.registry import aggregates, proxy_facts
from harness.reporting.page.definitions import DEFINITIONS
from harness.reporting.page.figures import PageFigure, page_figure
from harness.reporting.page.summary import Summary
from harness.reporting.page.tables import PageTable, page_table

if TYPE_CHECKING:
    import pandas as pd

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}(?:v\d+)?)")

SECTIONS = {
    "seeds": "Mean over seeds",
    "sets": "Kendall τ in each set of architectures",
    "published": "Comparison with published coefficients",
}
"""The titles of the report's further tables; the costs follow at the end of the page."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        name: its anchor.
        title: its heading.
        tables: its tables, shown first.
        figures: its figures, shown after the tables.
        facts: the facts behind its numbers that differ from those at the start of the page.
        notes: sentences that apply to the whole section.
    """

    name: str
    title: str
    tables: tuple[PageTable, ...] = ()
    figures: tuple[PageFigure, ...] = ()
    facts: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A proxy on the page, and its paper.

    Attributes:
        name: its registered name.
        label: its display name.
        summary: what it computes.
        facts: its direction and its inputs.
        reference: the paper.
        link: the paper's URL; empty if unknown.
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
    """The report of a run, with further analyses, as a single HTML file that needs no network.

    The same report gives the same text. All names chosen by users are escaped, and the page only allows its own
    script.

    Args:
        report: the report of the run with its figures, see :func:`harness.reporting.tables.exhibit_of`.
        summary: the main results in words.
        labels: display names of proxies.
        manifest: versions and settings of the run.
        exhibits: further analyses, in the order of the page.
        missing: the reasons why others are missing, one sentence each.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    # Everything is escaped except our own style sheet and script.
    environment = Environment(
        loader=PackageLoader("harness.reporting.page", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _asset("page.css"), f"{sorting_script()}\n{_asset('page.js')}"
    sections = _sections(report, exhibits)
    costs = [page_table(grid) for grid in report.grids if grid.name == "costs"]
    titles = {section.name: section.title for section in sections} | ({"costs": "Costs"} if costs else {})
    heading = report.heading
    assert isinstance(heading, Heading)
    page = environment.get_template("page.html.j2").render(
        title=heading.place,
        heading=heading,
        summary=summary,
        sections=sections,
        costs=costs[0] if costs else None,
        missing=missing,
        papers=_papers(report.grids[0].data, labels),
        definitions=[definition for definition in DEFINITIONS if titles.keys() & definition.sections],
        titles=titles,
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
        *(Section(grid.name, SECTIONS[grid.name], (page_table(grid),)) for grid in others if grid.name in SECTIONS),
        Section("scatter", "Score against accuracy", figures=(scatter,)),
        *(_section(exhibit, report.heading.entries()) for exhibit in exhibits),
    ]


def _section(exhibit: Exhibit, known: Sequence[Entry]) -> Section:
    return Section(
        f"analysis-{exhibit.name}",
        exhibit.title,
        tuple(map(page_table, exhibit.grids)),
        tuple(map(page_figure, exhibit.drawings)),
        tuple(entry for entry in exhibit.heading.entries() if entry not in known),
        exhibit.notes,
    )


def _papers(table: pd.DataFrame | None, labels: Labels) -> list[Paper]:
    """The known proxies and aggregates in the table, sorted by label."""
    assert table is not None
    known, pooled = proxy_facts(), aggregates()
    papers = []
    for name in dict.fromkeys(table["proxy"]):
        label = label_of(name, labels)
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


def sorting_script() -> str:
    """The script that sorts tables of the class ``sortable``; other pages with such tables use it too.

    It needs an element with the role ``status``, where it says what it did.
    """
    return _asset("sorting.js")


def _asset(name: str) -> str:
    return files("harness.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """The hash of a script or a style sheet for the content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
