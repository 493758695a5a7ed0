"""The exhibits beyond τ: what is printed says how networks were selected, and figures hold a mark for each proxy."""

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import HarnessError, UnknownNameError
from harness.exhibits.beyond_size import beyond_size
from harness.exhibits.bias import TRUTH, bias
from harness.exhibits.part import part_of
from harness.exhibits.redundancy import redundancy
from harness.exhibits.selection import selection
from harness.exhibits.top import top
from harness.results import open_run

PROXIES = {"params", "flops", "naswot", "synflow", "snip", "zen", "zico", "plain"}


@pytest.fixture(scope="module")
def run(digits_runs):
    return open_run(digits_runs[0])


@pytest.mark.parametrize(("by", "words"), [("truth", "true accuracy"), ("proxy", "each proxy's own score")])
def test_the_top_says_by_what_it_was_selected(run, by, words):
    exhibit = top(run, by=by, percents=[100, 50])
    assert words in exhibit.title
    assert all(words in grid.title for grid in exhibit.grids)
    assert "tied with the last" in exhibit.notes[0]
    (drawing,) = exhibit.drawings
    (axes,) = drawing.draw(3.3).axes
    assert words in axes.get_xlabel()


def test_the_top_has_a_column_for_each_share_and_a_verdict_only_by_truth(run):
    by_truth, by_proxy = (top(run, by=by, percents=[50, 100]) for by in ("truth", "proxy"))
    assert [column.name for column in by_truth.grids[0].columns] == ["proxy", "100", "50"]
    assert "Verdict" in [column.header for column in by_truth.grids[1].columns]
    assert "Verdict" not in [column.header for column in by_proxy.grids[1].columns]


def test_highlighted_proxies_are_in_colour_and_the_baseline_is_black(run):
    (drawing,) = top(run, percents=[100, 50], highlight=["plain"]).drawings
    (axes,) = drawing.draw(3.3).axes
    labels = {line.get_label(): line.get_color() for line in axes.lines if not line.get_label().startswith("_")}
    assert labels["#Params"] == "#000000"
    assert list(labels) == ["Plain", "#Params", "others"]


def test_a_proxy_that_does_not_exist_is_refused(run):
    with pytest.raises(UnknownNameError, match="synflo"):
        top(run, highlight=["synflo"])


def test_selection_has_chance_beside_the_proxies(run):
    exhibit = selection(run)
    precision, regret = exhibit.grids
    assert set(precision.data["proxy"]) == {*PROXIES, "chance"}
    assert "random" in regret.columns[0].values
    assert "in closed form" in exhibit.notes[0]
    (drawing,) = exhibit.drawings
    (axes,) = drawing.draw(6.8).axes
    assert "percentage points" in axes.get_ylabel()


def test_the_least_regret_and_the_highest_precision_are_bold(run):
    for grid, column, best in zip(selection(run).grids, ("P@10", "regret\n@10"), (max, min), strict=True):
        shown = next(each for each in grid.columns if each.name == column)
        cells = dict(zip(grid.columns[0].values, shown.cells, strict=True))
        numbers = {name: float(cell.value) for name, cell in cells.items()}
        bold = {name for name, cell in cells.items() if cell.best}
        assert {numbers[name] for name in bold} == {best(numbers[name] for name in numbers if name != "random")}


def test_counts_that_are_shares_too_are_shown_once(run):
    exhibit = selection(run, counts=[1, 3], percents=[10])
    assert set(exhibit.grids[1].data["choice"]) == {"1", "10 %"}


def test_without_an_accuracy_in_percent_there_is_no_ndcg(run):
    other = replace(run, truth=replace(run.truth, metric="negative loss"))
    grid = selection(other).grids[0]
    assert grid.data["ndcg"].isna().all()
    assert "needs an accuracy" in grid.notes[1]


def test_size_is_left_out_and_strata_are_stated(run):
    exhibit = beyond_size(run)
    assert set(exhibit.grids[0].data["proxy"]) == PROXIES - {"params"}
    assert "with the same #Params" in exhibit.grids[0].notes[0]
    assert "bins of nearly equal numbers" in beyond_size(run, bins=3).grids[0].notes[0]
    assert "SynFlow" in beyond_size(run, given="synflow").title


def test_redundancy_shows_a_square(run):
    exhibit = redundancy(run)
    (drawing,) = exhibit.drawings
    assert list(drawing.data.columns[1:]) == list(drawing.data["proxy"])
    axes = drawing.draw(3.3).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        label.get_text() for label in axes.get_xticklabels()
    ]
    flops = exhibit.grids[0].data.set_index("proxy").loc["flops"]
    assert (flops["nearest"], flops["agreement"]) == ("params", 1)


def test_bias_has_the_accuracy_in_the_first_row_and_the_same_counts_everywhere(run):
    exhibit = bias(run)
    dependence, difference = exhibit.grids
    assert dependence.columns[0].values[0] == TRUTH
    assert [column.name for column in dependence.columns] == [column.name for column in difference.columns]
    assert "3×3 convolutions" in [column.name for column in dependence.columns]
    for drawing in exhibit.drawings:
        assert len(drawing.draw(3.3).axes[0].get_yticklabels()) == len(drawing.data)


def test_a_set_is_named_in_the_heading(run):
    joined, heading = part_of(run, "connected")
    assert heading.facts[-1] == f"Only those in the set 'connected': {len(joined)} of the 24 networks"
    assert len(joined) < 24 or np.isfinite(joined.accuracy).all()


def test_a_set_with_no_network_of_the_run_is_refused(run, monkeypatch):
    monkeypatch.setattr(type(run.benchmark), "membership", lambda self, subset: lambda architecture: False)
    with pytest.raises(HarnessError, match="0 networks in the set 'unique'"):
        part_of(run, "unique")
