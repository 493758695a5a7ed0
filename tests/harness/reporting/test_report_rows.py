"""Rows of a report that are no proxies: rank aggregates and accuracies after training."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import harness
from harness import registry
from harness.aggregates import aggregate
from harness.contracts.ground_truth import GroundTruth
from harness.display.tables.rows import outcome_notes
from harness.errors import HarnessError, UnknownNameError


@aggregate("size_and_snip", label="Size & SNIP", parts=("params", "snip"), cite="nobody2026")
def size_and_snip(parts):
    """Sum of the ranks by two proxies."""
    return sum(scores.argsort().argsort() for scores in parts.values())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    harness.run("digits", sample=12, proxies="params,snip", batch_size=8, out=directory)
    return directory


@pytest.fixture
def two_truths(monkeypatch):
    """Digits with a second ground truth, after one epoch."""
    digits = registry.benchmark_classes()["digits"]
    real = digits.ground_truth

    def ground_truth(self, dataset, split=None, epochs=None):
        if epochs != 1:
            return real(self, dataset, split, epochs)
        accuracy = real(self, dataset).accuracy
        early = pd.Series(np.round(accuracy, 1), index=accuracy.index)
        return GroundTruth("digits", dataset, split, 1, "one seed", "top-1 accuracy (%)", True, "made up", early)

    monkeypatch.setattr(digits, "ground_truth", ground_truth)


@pytest.fixture
def with_aggregate(monkeypatch):
    monkeypatch.setattr("harness.results.aggregates", lambda: {"size_and_snip": size_and_snip})


def printed(report):
    file = io.StringIO()
    report.show(Console(file=file, width=140))
    return " ".join(file.getvalue().split())


def row(report, name):
    return report.correlations.set_index(["set", "proxy"]).loc[("all", name)]


def test_an_aggregate_is_in_the_table_with_its_pool_and_nowhere_stored(run, with_aggregate):
    report = harness.report(run)
    assert row(report, "size_and_snip")["pool"] == 12
    assert "size_and_snip" not in set(report.scores["proxy"])
    text = printed(report)
    assert "Size & SNIP" in text
    assert "Rank aggregates, with the pool of networks ranked: Size & SNIP 12. Another pool gives other" in text


def test_every_kind_of_file_says_so(run, with_aggregate, two_truths):
    report = harness.report(run, beside=["test/1"])
    exhibit = report.exhibit(figures=False)
    for text in (exhibit.markdown(), exhibit.latex()):
        assert "Rank aggregates, with the pool of networks ranked" in text
        assert "test, 1 epoch (trained)" in text and "accuracies after training" in text


def test_another_truth_is_a_row_that_says_what_it_is(run, two_truths, tmp_path):
    report = harness.report(run, beside=["test/1"])
    found = row(report, "test/1")
    assert found["kind"] == "truth" and found["kendall"] > 0.9 and found["verdict"] == "win"
    text = printed(report)
    tex = report.exhibit(figures=False).latex()
    best, *_ = (line for line in tex.splitlines() if line.startswith("test, 1 epoch (trained) &"))
    assert "mathbf" not in best and tex.count(r"\mathbf") > 0, "an accuracy after training is never the best"
    assert "test, 1 epoch (trained)" in text
    assert "Not zero-shot proxies but accuracies after training: test, 1 epoch (trained)." in text
    assert "Trained, for comparison: digits test top-1 accuracy (%), 1 epoch, one seed" in text
    assert (tmp_path / "accuracy_by_score.png") in report.write(tmp_path)


def test_published_coefficients_are_a_table_like_the_others(run, tmp_path):
    paper = tmp_path / "paper.csv"
    paper.write_text(
        "source,benchmark,dataset,proxy,coefficient,value,architectures,note,doubt\n"
        "Table 1,digits,digits,snip,kendall,0.55,500,,\n"
    )
    report = harness.report(run, published=paper)
    files = {file.name for file in report.write(tmp_path / "out", figures=False)}
    assert "published.csv" in files
    for text in (printed(report), report.exhibit(figures=False).markdown(), report.exhibit(figures=False).latex()):
        assert "Comparison with the published table" in text
    assert "Comparison with published coefficients" in report.html(exhibits=())


def test_it_may_be_the_baseline(run, two_truths):
    report = harness.report(run, beside=["test/1"], baseline="test/1")
    assert row(report, "test/1")["verdict"] == "baseline"


def test_the_truth_itself_is_refused(run):
    with pytest.raises(HarnessError, match="'test/6' is already the main ground truth"):
        harness.report(run, beside=["test/6"])


def test_an_unknown_truth_suggests_near_ones(run):
    with pytest.raises(UnknownNameError, match="ground truth of digits 'test/7': did you mean 'test/6'"):
        harness.report(run, beside=["test/7"])


@pytest.mark.parametrize(("distinct", "said"), [(1, True), (2, False)])
def test_a_score_that_is_the_same_everywhere_says_so(run, distinct, said):
    table = harness.report(run).correlations
    first = table[table["set"] == "all"].head(1).assign(distinct=distinct)
    assert any("the same score on every network" in note for note in outcome_notes(first)) == said
