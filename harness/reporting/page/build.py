"""Putting the page together: its sections, then the template with style and script inside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from harness._utils.citations import citation
from harness._utils.visible import json_page, visible_page
from harness.display.figures.saving import bars_figure, scatter_figure
from harness.display.figures.scatter import figure_data
from harness.display.tables.columns import main_columns
from harness.display.tables.markdown import cost_columns, set_columns
from harness.display.tables.numbers import counted
from harness.display.tables.rows import has_several_sets, kind_notes, outcome_notes, set_notes, set_rows, verdict_note
from harness.registry import aggregates, proxy_facts
from harness.reporting.page.definitions import DEFINITIONS
from harness.reporting.page.figures import PAGE_WIDTH, PageFigure, figure_of_drawing, page_figure
from harness.reporting.page.summary import summarise
from harness.reporting.page.tables import PageTable, page_table, table_of_grid

if TYPE_CHECKING:
    from harness.display.exhibit import Exhibit
    from harness.reporting.report import Report

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


def html_page(report: Report, exhibits: Iterable[Exhibit] = (), missing: Sequence[str] = ()) -> str:
    """The report of a run and further analyses of it as one HTML file that needs no network.

    The same report gives the same text. Every name that a user chose is escaped, and the page allows no script but its
    own.

    Args:
        report: of the run.
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
    page = environment.get_template("page.html.j2").render(
        title=f"{report.heading.benchmark}, {report.heading.dataset}",
        heading=report.heading,
        summary=summarise(report),
        sections=sections,
        costs=_costs(report),
        missing=missing,
        papers=_papers(report),
        definitions=DEFINITIONS,
        titles={section.name: section.title for section in sections} | {"costs": "Costs"},
        manifest=json_page(report.manifest).rstrip("\n"),
        style=Markup(style),  # noqa: S704
        style_hash=_digest(style),
        script=Markup(script),  # noqa: S704
        script_hash=_digest(script),
    )
    return visible_page(page)


def _sections(report: Report, exhibits: Iterable[Exhibit]) -> list[Section]:
    table, labels, subset = report.correlations, report.labels, report.subset
    rows = set_rows(table, subset)
    notes = [*outcome_notes(rows, labels), *kind_notes(rows, labels), verdict_note(rows, labels)]
    chart, bars = bars_figure(table, report.heading, labels=labels, subset=subset, width=PAGE_WIDTH)
    sections = [
        Section(
            "correlations",
            "Rank correlation with accuracy",
            (
                page_table(
                    "correlations",
                    f"Set '{subset}': {counted(rows['networks'].max(), 'network')}",
                    main_columns(rows, None, labels),
                    table,
                    notes,
                ),
            ),
            (page_figure("kendall_by_proxy", f"Kendall τ with its 95 % interval. {notes[-1]}", chart, bars),),
        )
    ]
    if has_several_sets(table):
        columns = set_columns(table, subset, labels)
        notes = set_notes(table, subset, report.heading.sets)
        own = page_table("sets", "Each set with its own comparison", columns, None, notes)
        sections.append(Section("sets", "Kendall τ in each set of architectures", (own,)))
    panels, points = scatter_figure(table, report.scores, report.truth, report.heading, labels=labels)
    caption = (
        "Score against accuracy: each point is a network, or each hexagon many where there are more than 5,000. "
        "Heavy-tailed scores are drawn by their rank; τ and ρ are those of the table."
    )
    drawn = page_figure("accuracy_by_score", caption, panels, figure_data(points))
    sections.append(Section("scatter", "Score against accuracy", figures=(drawn,)))
    return [*sections, *(_section(exhibit, report) for exhibit in exhibits)]


def _section(exhibit: Exhibit, report: Report) -> Section:
    known = report.heading.entries()
    return Section(
        f"analysis-{exhibit.name}",
        exhibit.title,
        tuple(table_of_grid(grid) for grid in exhibit.grids),
        tuple(figure_of_drawing(drawing) for drawing in exhibit.drawings),
        tuple(entry for entry in exhibit.heading.entries() if entry not in known),
        exhibit.notes,
    )


def _costs(report: Report) -> PageTable | None:
    if report.costs.empty:
        return None
    note = (
        "Medians for one network: own is what the proxy adds to the passes that it shares with others, alone what it "
        "takes by itself; × are forward + backward passes of the same batch."
    )
    return page_table("costs", "Time of each proxy", cost_columns(report.costs, report.labels), report.costs, (note,))


def _papers(report: Report) -> list[Paper]:
    """Every row of the table that is a known proxy or aggregate, by its label."""
    known, pooled = proxy_facts(), aggregates()
    papers = []
    for name in dict.fromkeys(report.correlations["proxy"]):
        label = report.labels.get(name, name)
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
