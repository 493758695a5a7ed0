"""A notebook shows objects as a short description of their content."""

from __future__ import annotations

import pandas as pd
import pytest

import harness
from harness.analysis.joined import Joined
from harness.contracts import Costs
from harness.errors import HarnessError, UnknownNameError
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.exhibits.top import top
from harness.images import Images
from harness.probe import Probe
from harness.registry import aggregates, proxies
from harness.store import Store


@pytest.fixture(scope="module")
def report(digits_runs):
    return harness.report(digits_runs[0])


def test_a_report_says_what_it_is_of_and_how_to_see_more(report):
    lines = repr(report).splitlines()
    assert len(lines) == 3 and all(len(line) < 200 for line in lines)
    assert "8 proxies on 24 networks, ranked against digits test" in lines[0]
    assert "highest Kendall τ: " in lines[1] and ".show()" in lines[2]


def test_objects_have_a_line_and_no_address(report, digits_runs):
    plan = make_plan("digits", RunOptions(sample=2, proxies="params", batch_size=4))
    benchmark = harness.load("digits")
    probe = Probe(benchmark.build(benchmark.architectures()[0], "digits"), plan.batches)
    exhibit = top(report.run)
    with Store.read(digits_runs[0]) as store:
        shown = {
            "<benchmark digits: ": benchmark,
            "<ground truth of digits: digits test ": report.truth,
            "<plan of digits, digits: 2 architectures": plan,
            "<probe of ": probe,
            "<mini-batch: images (4, 1, 8, 8)": plan.batches[0],
            "<images ": benchmark.images("digits"),
            "<run ": report.run,
            "<scores and accuracies of 24 networks: ": report.run.joined,
            "<exhibit top: ": exhibit,
            "<table top: ": exhibit.grids[0],
            "<store of the run ": store,
            "<proxy snip: higher is better, looks at labels. ": proxies()["snip"],
            "<rank aggregate az_nas of ": aggregates()["az_nas"],
        }
    assert isinstance(shown["<images "], Images) and isinstance(report.run.joined, Joined)
    for beginning, thing in shown.items():
        text = repr(thing)
        assert text.startswith(beginning) and text.endswith(">"), text
        assert "\n" not in text and len(text) < 500 and " object at 0x" not in text


def test_notebooks_show_tables_with_what_they_rest_on(report):
    html = report._repr_html_()
    assert html.count("<tr>") == 1 + len(report.correlations[report.correlations["set"] == "all"])
    assert "Ground truth: digits test" in html and "<caption>Set &#x27;all&#x27;: 24 networks</caption>" in html
    exhibit = top(report.run)
    assert exhibit._repr_html_().count("<table>") == len(exhibit.grids)
    assert "<caption>" in exhibit.grids[0]._repr_html_()


def test_notebooks_show_other_objects_as_their_facts(report):
    benchmark = harness.load("digits")
    shown = {
        "Run ": (report.run, ("24 of the set", "#Params, ", "digits test top-1", "mini-batches of 8")),
        "digits: ": (benchmark, ("<th>Set &#x27;connected&#x27;</th>", "test/6")),
        "Ground truth of digits": (report.truth, ("tools/digits/train.py", "500")),
        "SNIP (snip)": (proxies()["snip"], ("<td>higher</td>", "<td>labels</td>")),
        "AZ-NAS (az_nas)": (aggregates()["az_nas"], ("<th>Parts</th>",)),
        "Costs": (Costs("us", {"a": "Latency <ms>"}, pd.DataFrame({"a": [1.0]})), ("Latency &lt;ms&gt;",)),
    }
    for title, (thing, facts) in shown.items():
        html = thing._repr_html_()
        assert html.startswith(f"<table><caption><strong>{title}") and all(fact in html for fact in facts), html


def test_figures_come_as_axes_and_show_themselves(report):
    (axes,) = report.plot()
    assert "Kendall τ" in axes.get_xlabel()
    panels = report.plot("accuracy_by_score", width=5)
    assert [panel.get_title() for panel in panels][:1] and len(panels) == 8
    assert panels.figure.get_figwidth() == 5
    panels[0].set_title("Mine")
    for shown in (panels, report.exhibit().drawings[0]):
        assert shown._repr_png_().startswith(b"\x89PNG")
    assert len(top(report.run).plot()) > 0
    with pytest.raises(UnknownNameError, match="unknown figure 'kendal': did you mean 'kendall_by_proxy'"):
        report.plot("kendal")
    with pytest.raises(HarnessError, match="has no figures"):
        report.exhibit(figures=False).plot()
