"""Output formats of a check: a terminal, Markdown, JSON, JUnit XML and GitHub annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from harness._utils.console import output
from harness._utils.visible import json_page, visible, visible_page
from harness.display.tables.markdown import markdown_grid
from harness.display.tables.terminal import print_columns, print_lines
from harness.gate.words import frame_of, grid_of, sentence, summary

if TYPE_CHECKING:
    from rich.console import Console

    from harness.gate.compare import Checked

JSON_SCHEMA = 1


def show(checked: Checked, console: Console) -> None:
    """Print the heading, the table and the notes."""
    from rich.text import Text

    console = output(console)
    for name, text in checked.heading:
        console.print(Text(f"{name:14}", style="dim") + Text(text))
    console.print()
    grid = grid_of(checked)
    print_lines(console, print_columns(console, grid))
    console.print(Text(grid.title, style="bold red" if checked.alarms else "bold green"))


def as_markdown(checked: Checked) -> str:
    """Heading, table and notes, for a comment on a pull request."""
    heading = "\n".join(f"- {name}: {visible(text)}" for name, text in checked.heading)
    return f"# Regression gate\n\n{heading}\n\n{markdown_grid(grid_of(checked))}"


def as_json(checked: Checked) -> str:
    """Everything with full precision as JSON; undefined values are null."""
    document = {
        "schema": JSON_SCHEMA,
        "passed": not checked.alarms,
        "summary": summary(checked),
        "compared": dict(checked.heading),
        "notes": list(checked.notes),
        "allowed": sorted(checked.allowed),
        "proxies": frame_of(checked).to_dict("records"),
    }
    return json_page(document)


def as_junit(checked: Checked) -> str:
    """JUnit XML with one test case per proxy, for build servers."""
    suite = ElementTree.Element(
        "testsuite", name="harness check", tests=str(len(checked.rows)), failures=str(len(checked.alarms)), errors="0"
    )
    for row in checked.rows:
        case = ElementTree.SubElement(suite, "testcase", classname="harness.check", name=row.proxy)
        if checked.is_alarm(row):
            failure = ElementTree.SubElement(case, "failure", type=row.verdict, message=sentence(row))
            failure.text = sentence(row)
        elif row.verdict != "same":
            ElementTree.SubElement(case, "system-out").text = f"{row.verdict}: {sentence(row)}"
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    # XML cannot represent control characters.
    return visible_page(ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True).decode()) + "\n"


def github_annotations(checked: Checked) -> list[str]:
    """GitHub annotations: an error for each alarm, a warning for every other verdict except "same"."""
    lines = []
    for row in checked.rows:
        if row.verdict != "same":
            level = "error" if checked.is_alarm(row) else "warning"
            lines.append(f"::{level} title={_property(f'{row.label}: {row.verdict}')}::{_data(sentence(row))}")
    return lines


def _data(text: str) -> str:
    """Text escaped for workflow commands, where line ends and percent signs have a meaning."""
    return visible_page(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
