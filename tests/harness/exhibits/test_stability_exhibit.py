"""The exhibit of stability says in what the runs differ and refuses what cannot be compared."""

from dataclasses import replace

import pytest

import harness
from harness.errors import HarnessError
from harness.exhibits.stability import stability
from harness.results import open_run


@pytest.fixture
def runs(digits_runs):
    return [open_run(directory) for directory in digits_runs]


def test_it_names_what_differs_and_counts_the_common_networks(runs):
    exhibit = stability(runs)
    assert exhibit.heading.facts == ("2 runs that differ in: seed 0, 1",)
    assert exhibit.heading.networks == 24
    data = exhibit.grids[0].data.set_index("proxy")
    assert data.loc["params", "between"] == 1
    assert data.loc["plain", "between"] < data.loc["synflow", "between"] < 1


def test_one_run_stands_for_its_seeds(tmp_path):
    harness.run("digits", out=tmp_path, sample=6, proxies="params", batch_size=8, seeds=3)
    assert stability(tmp_path).heading.facts == ("3 runs that differ in: seed 0, 1, 2",)


def test_a_run_beside_itself_agrees_wholly(runs):
    exhibit = stability([runs[0], runs[0]])
    assert exhibit.heading.facts == ("2 runs that differ in: nothing that fixes a score",)
    assert (exhibit.grids[0].data["between"] == 1).all()


def test_runs_of_other_data_sets_are_refused(runs):
    other = replace(runs[1], setting=replace(runs[1].setting, dataset="letters"))
    with pytest.raises(HarnessError, match=r"of the dataset digits, .* of letters"):
        stability([runs[0], other])


def test_another_ground_truth_is_refused(runs):
    other = replace(runs[1], truth=replace(runs[1].truth, split="elsewhere"))
    with pytest.raises(HarnessError, match="--truth that both have"):
        stability([runs[0], other])


def test_the_figure_has_a_line_for_each_proxy(runs):
    (drawing,) = stability(runs).drawings
    (axes,) = drawing.draw(3.3).axes
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["#FLOPs", "#Params"]
    assert len(drawing.data) == 8
