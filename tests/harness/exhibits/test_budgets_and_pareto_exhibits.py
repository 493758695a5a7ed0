"""Budgets and Pareto fronts of sizes that a run scored, and of costs that the benchmark knows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.digits import Digits

from harness.analysis.budgets import budgets_table
from harness.analysis.pareto import pareto_table
from harness.analysis.search import OPTIMUM
from harness.contracts.ground_truth import Costs
from harness.errors import HarnessError, UnknownNameError
from harness.exhibits.budgets import budgets
from harness.exhibits.pareto import pareto
from harness.results import open_run


class Costly(Digits):
    def costs(self, dataset):
        names = self.architectures()
        values = pd.DataFrame({"watch_latency": np.arange(1.0, len(names) + 1)}, index=names)
        return Costs("a stopwatch", {"watch_latency": "Watch latency (ms)"}, values)


@pytest.fixture(scope="module")
def run(digits_runs):
    return open_run(digits_runs[0])


@pytest.fixture(scope="module")
def costly(run):
    return replace(run, benchmark=Costly())


def test_budgets_of_the_sizes_that_the_run_scored_are_the_default(run):
    exhibit = budgets(run)
    assert [grid.name for grid in exhibit.grids] == ["budgets_params", "budgets_flops"]
    data = exhibit.grids[0].data
    expected = budgets_table(run.joined, run.joined.proxies["params"].value)
    pd.testing.assert_frame_equal(data.drop(columns="cost"), expected)
    assert set(data["cost"]) == {"params"}


def test_a_column_a_budget_with_the_mean_regret_last(run):
    columns = budgets(run, costs=["params"], quantiles=[0.25, 1]).grids[0].columns
    heads = [column.header.split("\n")[0] for column in columns]
    assert heads == ["Proxy", "25 %", "100 %", "Mean"]
    assert "≤ " in columns[1].header
    best = f"{run.joined.accuracy.max():.2f}"
    assert (str(columns[0].cells[0]), str(columns[2].cells[0])) == ("Optimum (best feasible)", best)
    assert str(columns[3].cells[0]) == "0.00"
    assert not columns[2].best[0] and any(columns[2].best)


def test_costs_of_the_benchmark_are_taken_by_their_column_and_named(costly):
    (grid,) = budgets(costly, costs=["watch_latency"]).grids
    assert grid.title == "Accuracy of the choice under budgets of Watch latency (ms)"
    assert "from a stopwatch" in grid.notes[0]
    places = {architecture: place for place, architecture in enumerate(costly.benchmark.architectures(), start=1)}
    largest = max(places[architecture] for architecture in costly.joined.architectures)
    assert grid.data["budget"].max() == largest


def test_an_unknown_cost_is_refused_with_those_that_are_there(run, costly):
    with pytest.raises(UnknownNameError, match=r"unknown cost of digits 'watch_latency'.* Known: flops, params"):
        budgets(run, costs=["watch_latency"])
    with pytest.raises(UnknownNameError, match="did you mean 'watch_latency'"):
        pareto(costly, costs=["watch_latenci"])


def test_a_run_without_sizes_must_be_told_a_cost(run):
    sizeless = replace(run, scores=run.scores[~run.scores["proxy"].isin(["params", "flops"])])
    with pytest.raises(HarnessError, match="neither params nor flops"):
        budgets(sizeless)


def test_the_true_front_comes_first_and_has_the_whole_volume(costly):
    (grid,) = pareto(costly, costs=["watch_latency"]).grids
    assert [str(column.cells[0]) for column in grid.columns[:2]] == ["True front", "1.000"]
    assert not grid.columns[1].best[0]
    values = costly.benchmark.costs("digits").values["watch_latency"].reindex(costly.joined.architectures)
    expected = pareto_table(costly.joined, values.to_numpy())[0].set_index("row")
    pd.testing.assert_series_equal(
        grid.data.set_index("row")["hypervolume"].sort_index(), expected["hypervolume"].sort_index()
    )


def test_one_figure_a_cost_with_the_true_front_in_it(run):
    exhibit = pareto(run, shown=["zen", "params"])
    assert [drawing.name for drawing in exhibit.drawings] == ["pareto_front_params", "pareto_front_flops"]
    drawing = exhibit.drawings[0]
    assert set(drawing.data["row"]) == {"params", "zen", OPTIMUM}
    (axes,) = drawing.draw(3.3).axes
    assert [line.get_label() for line in axes.lines] == ["True front", "Zen-Score", "#Params"]
    assert axes.get_xlabel() == "#Params"
    low, high = axes.get_ylim()
    assert low <= np.median(run.joined.accuracy) and high > run.joined.accuracy.max()


def test_sets_can_be_chosen(run):
    size = len(run.within("unique"))
    assert f"{size} of the 24 networks" in budgets(run, subset="unique").heading.facts[-1]
    assert f"{size} networks, of which" in pareto(run, costs=["params"], subset="unique").grids[0].notes[0]
    with pytest.raises(UnknownNameError, match="set"):
        budgets(run, subset="uniqe")
