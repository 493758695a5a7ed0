"""The heat map names its runs apart, shows their facts, and holds the numbers of their reports."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

import harness
from harness.errors import HarnessError, UnknownNameError
from harness.exhibits.heatmap import heatmap
from harness.results import open_run


@pytest.fixture
def runs(digits_runs):
    return [open_run(directory) for directory in digits_runs]


def test_the_numbers_are_those_of_the_reports(runs):
    data = heatmap(runs).grids[0].data
    for run in runs:
        mine = data[data["run"] == f"digits digits {run.directory.name}"].set_index("proxy")
        theirs = harness.report(run.directory).correlations.query("set == 'all'").set_index("proxy")
        for column in ("kendall", "kendall_low", "difference", "verdict"):
            assert mine[column].sort_index().equals(theirs[column].sort_index())


def test_runs_of_other_data_go_by_their_data(runs):
    other = replace(runs[1], setting=replace(runs[1].setting, dataset="letters"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.exhibits.heatmap.heading_of", lambda run: "facts")
        exhibit = heatmap([runs[0], other])
    assert list(exhibit.heading.of) == ["digits digits", "digits letters"]


def test_the_heading_has_a_line_for_each_run(runs):
    lines = heatmap(runs).heading.lines()
    assert len(lines) == 2
    assert all("24 architectures, seed 0; digits test top-1 accuracy" in line for line in lines)


def test_noise_in_one_run_is_announced(runs):
    noisy = replace(runs[1], setting=replace(runs[1].setting, noise=True))
    exhibit = heatmap([runs[0], noisy])
    assert [entry.noise for entry in exhibit.heading.entries()] == [False, True]
    assert ["NOISE" in line for line in exhibit.heading.lines()] == [False, True]
    assert sum("**" in line and "NOISE" in line for line in exhibit.markdown().splitlines()) == 1


def test_a_narrow_terminal_shows_the_values_alone(runs):
    def shown(width):
        file = io.StringIO()
        heatmap(runs).show(Console(file=file, width=width))
        return file.getvalue()

    assert "[" in next(line for line in shown(140).splitlines() if line.startswith(" SynFlow"))
    narrow = next(line for line in shown(60).splitlines() if line.startswith(" SynFlow"))
    assert "[" not in narrow and "…" not in narrow
    assert "Left out at this width: intervals." in shown(60)
    assert "Left out" not in shown(140)


def test_latex_marks_what_is_significant_and_bolds_the_best(runs):
    text = heatmap(runs).latex()
    assert r"\mathbf" in text and r"$\dagger$ better and $\ddagger$ worse than \#Params" in text


def test_the_same_run_twice_is_refused(runs):
    with pytest.raises(HarnessError, match="two of the runs are both called 'digits digits"):
        heatmap([runs[0], runs[0]])


def test_unknown_names_are_refused(runs):
    with pytest.raises(UnknownNameError, match="did you mean 'params'"):
        heatmap(runs, baseline="param")
    with pytest.raises(HarnessError, match="has no set of architectures 'conected'"):
        heatmap(runs, subset="conected")
    with pytest.raises(HarnessError, match="no run was given"):
        heatmap([])


def test_only_the_wanted_rows_and_the_baseline_are_shown(digits_runs):
    exhibit = heatmap([open_run(directory) for directory in digits_runs], proxies=["snip", "naswot"])
    assert set(exhibit.grids[0].data["proxy"]) == {"params", "snip", "naswot"}
