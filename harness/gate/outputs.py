"""A check as others read it: Markdown for people, JSON and JUnit XML for programs, annotations for GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from harness._utils.visible import json_page, visible, visible_page
from harness.display.tables.markdown import markdown_grid
from harness.gate.words import frame_of, grid_of, sentence, summary

if TYPE_CHECKING:
    from harness.gate.compare import Checked

JSON_SCHEMA = 1


def as_markdown(checked: Checked) -> str:
    """Heading, table and notes, for a comment on a pull request."""
    heading = "\n".join(f"- {name}: {visible(text)}" for name, text in checked.heading)
    return f"# Regression gate\n\n{heading}\n\n{markdown_grid(grid_of(checked))}"


def as_json(checked: Checked) -> str:
    """Everything with every digit; what is undefined is null."""
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
    """One test case for each proxy, as build servers show them."""
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
    # XML has no way to write control characters at all.
    return visible_page(ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True).decode()) + "\n"


def github_annotations(checked: Checked) -> list[str]:
    """What GitHub shows beside the change: an error for each alarm, a warning for whatever else is not the same."""
    lines = []
    for row in checked.rows:
        if row.verdict != "same":
            level = "error" if checked.is_alarm(row) else "warning"
            lines.append(f"::{level} title={_property(f'{row.label}: {row.verdict}')}::{_data(sentence(row))}")
    return lines


def on_github(environment: Mapping[str, str]) -> bool:
    """Whether the check runs in a workflow of GitHub."""
    return environment.get("GITHUB_ACTIONS") == "true"


def _data(text: str) -> str:
    """Text as workflow commands want it: a line end would end it, and a percent sign would be read as an escape."""
    return visible_page(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
