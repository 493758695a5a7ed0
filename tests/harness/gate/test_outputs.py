"""The outcome for people and for programs says the same thing."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from harness.gate import compare
from harness.gate.outputs import as_json, as_junit, as_markdown, github_annotations, show
from harness.gate.words import frame_of, summary


@pytest.fixture
def checked(baseline, altered):
    """SNIP is worse, ZiCo has no score on a network, SynFlow has other scores, and Zen-Score is gone."""
    run = altered("snip", value=lambda v: -v)
    scores = run.scores[run.scores["proxy"] != "zen"].copy()
    zico, synflow = scores["proxy"] == "zico", scores["proxy"] == "synflow"
    first = scores.index[zico][0]
    scores.loc[first, ["status", "value", "error"]] = ["non_finite", np.nan, "50% of <it>,\nnan"]
    scores.loc[synflow, "value"] *= 2
    return compare(baseline, replace(run, scores=scores), allowed={"changed"})


def test_the_table_names_every_proxy_and_what_became_of_it(checked):
    file = io.StringIO()
    show(checked, Console(file=file, width=140))
    text = file.getvalue()
    for part in ("✗ missing", "✗ failed", "✗ worse", "○ changed", "✓ same", "Ground truth", "23 networks with a score"):
        assert part in text
    assert summary(checked) in text
    assert summary(checked) == "Failed: 1 missing, 1 failed, 1 worse, 1 changed, 4 same"


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_on_a_narrow_page_columns_are_left_out_and_named(checked, width):
    file = io.StringIO()
    show(checked, Console(file=file, width=width))
    text = file.getvalue()
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    assert ("Left out at this width: rank agreement" in " ".join(text.split())) == (width < 140)


def test_markdown_is_one_table_with_the_sentences_below(checked):
    text = as_markdown(checked)
    assert text.startswith("# Regression gate\n")
    assert sum(line.startswith("| ✗") for line in text.splitlines()) == 3
    assert "harness baseline RUN" in text


def test_json_holds_every_digit_and_null_for_what_is_undefined(checked):
    document = json.loads(as_json(checked))
    assert document["passed"] is False and document["allowed"] == ["changed"]
    rows = {row["proxy"]: row for row in document["proxies"]}
    table = frame_of(checked).set_index("proxy")
    assert rows["snip"]["difference"] == table.loc["snip", "difference"]
    assert rows["zen"]["kendall_now"] is None and rows["zen"]["alarm"] is True
    assert rows["synflow"]["alarm"] is False


def test_junit_has_a_case_for_each_proxy_and_a_failure_for_each_alarm(checked):
    root = ElementTree.fromstring(as_junit(checked))
    suite = root.find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("8", "3")
    failed = {case.get("name"): case.find("failure") for case in suite if case.find("failure") is not None}
    assert {name: failure.get("type") for name, failure in failed.items()} == {
        "zen": "missing",
        "zico": "failed",
        "snip": "worse",
    }


def test_annotations_are_one_line_each_and_escaped(checked):
    lines = github_annotations(checked)
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::error", "::warning"]
    assert lines[1].startswith("::error title=ZiCo%3A failed::")
    assert "50%25 of <it>,%0Anan" in lines[1] and not any("\n" in line for line in lines)


def test_a_check_that_passes_says_so(baseline, run):
    checked = compare(baseline, run)
    assert summary(checked) == "Passed: 8 same"
    assert github_annotations(checked) == []
    assert json.loads(as_json(checked))["passed"] is True
    assert ElementTree.fromstring(as_junit(checked)).find("testsuite").get("failures") == "0"
