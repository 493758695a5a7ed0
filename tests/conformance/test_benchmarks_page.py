"""The example of docs/benchmarks.md runs, keeps the contract, and breaks it as the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import harness

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.S))


@pytest.fixture
def run(pytester):
    """Runs the page's test on the page's benchmark, or on a changed one."""

    def run(change=lambda code: code):
        module = change(EXAMPLES["my_benchmark.py"])
        (pytester.path / "my_benchmark.py").write_text(module)
        (pytester.path / "test_my_benchmark.py").write_text(EXAMPLES["test_my_benchmark.py"])
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "test_my_benchmark.py")

    return run


@pytest.mark.nightly
def test_the_example_keeps_the_contract(run):
    outcomes = run().parseoutcomes()
    assert outcomes["passed"] >= 30
    assert "failed" not in outcomes and "errors" not in outcomes


@pytest.mark.nightly
def test_a_failure_says_what_the_page_shows(run):
    result = run(lambda code: code.replace(", classes)\n\n    def ground", ", classes).eval()\n\n    def ground"))
    assert result.parseoutcomes()["failed"] == 1
    (shown,) = re.findall(r"^AssertionError: .*$", PAGE, re.M)
    result.stdout.fnmatch_lines([f"*{shown}*"])


def test_a_table_and_a_function_are_a_benchmark(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "my_networks.py").write_text(EXAMPLES["my_networks.py"])
    (table,) = re.findall(r"trained\.csv\n(architecture.*?)\$ harness", PAGE, re.S)
    (tmp_path / "trained.csv").write_text(table)
    harness.run(f"{tmp_path}/my_networks.py:mine", images="noise", proxies="params", batch_size=2, out=tmp_path / "run")
    report = harness.report(tmp_path / "run", truth=f"{tmp_path}/trained.csv:val_loss:lower")
    assert report.heading.networks == 2 and "lower is better" in report.heading.ground_truth
