"""Combinations of proxies as tables and a figure, and as a command."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.combining import MEAN_COLUMNS
from harness.errors import HarnessError
from harness.exhibits._heading import correlations_of
from harness.exhibits.combine import combine, plot_combinations, verdict
from harness.results import open_run


def means(*rows):
    table = pd.DataFrame(rows, columns=["size", "difference", "low", "high", "p_holm", "better", "worse"])
    return table.assign(combinations=6, baseline="params", spaces=4, p_value=0.01)[MEAN_COLUMNS]


def test_the_verdict_counts_every_size_that_was_tried():
    found = verdict(means((1, -0.1, -0.2, 0.0, 0.5, 0, 2), (2, 0.08, 0.02, 0.14, 0.03, 3, 0)))
    assert found.startswith("A combination exists that beats #Params")
    assert "2 proxies, the best size, the mean difference in τ is +.080 [+.020, +.140] over 4 spaces" in found
    assert "better in 3 and worse in 0" in found
    # The interval of the best size alone lies above zero, but of two sizes one does by chance.
    unsure = verdict(means((1, -0.1, -0.2, 0.0, 0.5, 0, 2), (2, 0.08, 0.02, 0.14, 0.06, 3, 0)))
    assert unsure.startswith("No combination is shown to beat #Params")
    worse = verdict(means((1, -0.1, -0.2, -0.05, 0.01, 0, 2)))
    assert worse.startswith("No combination")


def test_the_figure_has_a_panel_for_each_size_and_a_line_for_each_run():
    table = pd.DataFrame(
        {
            "size": [1, 1, 2, 2],
            "run": ["one", "two"] * 2,
            "difference": [0.1, -0.1, 0.2, np.nan],
            "difference_low": [0.05, -0.2, 0.1, np.nan],
            "difference_high": [0.15, 0.0, 0.3, np.nan],
            "verdict": ["win", "loss", "win", "tie"],
        }
    )
    figure = plot_combinations(table, 6.8)
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["1 proxy", "2 proxies"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["one", "two"]
    assert len([line for line in second.lines if line.get_marker() == "o"]) == 2


def test_runs_of_one_space_alone_are_refused(digits_runs):
    runs = [open_run(directory) for directory in digits_runs]
    with pytest.raises(HarnessError, match="all runs are of digits; a choice is judged on another space"):
        combine(runs)
    with pytest.raises(HarnessError, match="no run was given"):
        combine([])


def test_the_tables_are_those_of_the_analysis(digits_runs, tmp_path):
    """The same scores under another benchmark's name are a second space, on which the best choice is the same."""
    first, second = (open_run(directory) for directory in digits_runs[:2])
    other = replace(second, setting=replace(second.setting, benchmark="letters"))
    exhibit = combine([first, other], most=1, resamples=5)
    names = {path.name for path in exhibit.write(tmp_path)}
    assert {"combinations.md", "combinations.png", "combination_means.csv", "combinations_1.csv"} <= names
    table = pd.read_csv(tmp_path / "combinations_1.csv")
    assert set(table["space"]) == {"digits", "letters"}
    taus = {
        run.setting.benchmark: correlations_of(run, "params").set_index("proxy")["kendall"] for run in (first, other)
    }
    for row in table.to_dict("records"):
        assert row["kendall"] <= taus[row["space"]][list(first.joined.proxies)].max() + 1e-9
    assert "average over spaces" in (tmp_path / "combinations.md").read_text(encoding="utf-8")
