"""The exhibit says whether any proxy beats #Params anywhere, and draws mean ranks."""

from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.exhibits.anywhere import anywhere
from harness.results import open_run


@pytest.fixture
def runs(digits_runs):
    return [open_run(directory) for directory in digits_runs]


def test_the_differences_are_those_of_the_runs(runs):
    data = anywhere(runs[:1]).grids[1].data.set_index("proxy")
    ours = runs[0].joined
    assert set(data.index) == set(ours.rows)
    assert data.loc["params", "verdict"] == "baseline"


def test_the_verdict_and_the_critical_difference_are_in_the_notes(runs, monkeypatch):
    exhibit = anywhere(runs)
    assert "in at least one of 2 runs" in exhibit.notes[0] or "No proxy is shown to beat #Params" in exhibit.notes[0]
    assert not exhibit.drawings, "both are runs of one space"
    other = replace(runs[1], setting=replace(runs[1].setting, benchmark="another"))
    monkeypatch.setattr("harness.exhibits.anywhere.heading_of", lambda run: "facts")
    exhibit = anywhere([runs[0], other], proxies=["snip", "synflow", "zen"])
    assert "among the 4 proxies that every run has, over 2 spaces" in exhibit.notes[2]
    (axes,) = exhibit.plot("mean_ranks")
    assert axes.get_xlabel() == "Mean rank (1 is best)"
    assert len(axes.get_yticks()) == 4


def test_no_run_is_refused():
    with pytest.raises(HarnessError, match="no run was given"):
        anywhere([])
