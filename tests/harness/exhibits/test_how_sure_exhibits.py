"""The exhibits of pairs, noise ceiling, required n and bootstrap say what their numbers rest on and mean."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import kendall
from harness.errors import HarnessError, UnknownNameError
from harness.exhibits.bootstrap import bootstrap
from harness.exhibits.noise_ceiling import noise_ceiling_of_benchmark, noise_ceiling_of_run
from harness.exhibits.pairs import pairs
from harness.exhibits.required_n import required_n
from harness.registry import load_benchmark
from harness.results import open_run


@pytest.fixture(scope="module")
def run(digits_runs):
    return open_run(digits_runs[0])


class TestPairs:
    def test_the_figure_holds_every_pair_and_the_table_a_row_for_each_proxy(self, run):
        exhibit = pairs(run)
        (grid,), (drawing,) = exhibit.grids, exhibit.drawings
        assert len(grid.data) == 8
        assert len(drawing.data) == 8 * 7 / 2
        counted = grid.data[["better_than", "worse_than", "not_told_from", "undefined"]].sum(axis=1)
        assert (counted == 7).all()
        assert grid.data["better_than"].sum() == grid.data["worse_than"].sum()

    def test_who_is_better_is_what_holm_leaves(self, run):
        exhibit = pairs(run)
        table = exhibit.drawings[0].data
        assert exhibit.grids[0].data["better_than"].sum() == (table["kendall_p_holm"] < 0.05).sum()
        assert f"Of {table['kendall_p'].notna().sum()} pairs" in exhibit.grids[0].notes[0]

    def test_the_matrix_names_the_proxies_from_best_to_worst(self, run):
        exhibit = pairs(run)
        axes = exhibit.drawings[0].draw(3.3).axes[0]
        order = [run.labels[name] for name in exhibit.grids[0].data["proxy"]]
        assert [label.get_text() for label in axes.get_yticklabels()] == order[:-1]
        assert [label.get_text() for label in axes.get_xticklabels()] == order[1:]

    def test_every_difference_that_is_not_significant_has_a_mark(self, run):
        drawing = pairs(run).drawings[0]
        axes = drawing.draw(3.3).axes[0]
        dots = sum(line.get_marker() == "o" for line in axes.lines)
        assert dots == (drawing.data["kendall_p_holm"] >= 0.05).sum() > 0

    def test_against_one_there_is_a_row_for_each_other_and_no_matrix(self, run):
        exhibit = pairs(run, against="params")
        assert exhibit.title == "Paired differences between each proxy and #Params"
        assert len(exhibit.grids[0].data) == 7
        assert exhibit.drawings == ()

    def test_a_set_is_named(self, run):
        assert any("'connected'" in fact for fact in pairs(run, subset="connected").heading.facts)

    def test_unknown_names_are_refused(self, run):
        with pytest.raises(UnknownNameError, match="did you mean 'params'"):
            pairs(run, against="param")
        with pytest.raises(UnknownNameError, match="connected"):
            pairs(run, subset="conected")


class TestNoiseCeiling:
    def test_a_run_shows_its_best_proxy_and_the_baseline(self, run):
        exhibit = noise_ceiling_of_run(run)
        note = exhibit.grids[0].notes[-1]
        assert "#Params" in note and "Best proxy" in note
        assert (exhibit.grids[0].data["networks"] == 24).all()
        axes = exhibit.drawings[0].draw(3.3).axes[0]
        assert axes.get_yticklabels()[0].get_text() == "one training : another"

    def test_the_baseline_may_be_an_alias(self, run):
        exhibit = noise_ceiling_of_run(run, baseline="nwot")
        assert "NASWOT" in exhibit.grids[0].notes[-1]

    @pytest.mark.parametrize("constant", ["flops", "zico"])
    def test_a_proxy_without_a_coefficient_is_never_the_best(self, run, constant):
        scores = run.scores.copy()
        scores.loc[scores["proxy"] == constant, "value"] = 1.0
        flat = replace(run, scores=scores)
        assert math.isnan(kendall(flat.joined.proxies[constant].value, flat.joined.accuracy).value)
        assert "τ SNIP" in noise_ceiling_of_run(flat).grids[0].notes[-1]

    def test_without_a_usable_score_there_is_only_the_agreement(self, run):
        failed = replace(run, scores=run.scores.assign(status="failed", value=float("nan")))
        exhibit = noise_ceiling_of_run(failed)
        assert not any("Best proxy" in note for note in exhibit.grids[0].notes)
        assert exhibit.drawings[0].draw(3.3).axes

    def test_a_whole_benchmark_says_so(self):
        exhibit = noise_ceiling_of_benchmark(load_benchmark("digits"), "digits")
        assert "Networks: 500, all of the set 'all'" in exhibit.heading.lines()
        assert "mini-batches" not in exhibit.markdown()
        assert (exhibit.grids[0].data["ceiling_kendall"] > exhibit.grids[0].data["kendall"]).all()

    def test_a_benchmark_without_single_trainings_says_that_the_ceiling_is_unknown(self, run):
        class Means(type(run.benchmark)):
            truths = (("test", 6), ("val", 6), ("test", 1))

            def ground_truth(self, dataset, split=None, epochs=None):
                from dataclasses import replace

                from harness.errors import DataError

                if epochs == 1:
                    raise DataError("not imported")
                return replace(super().ground_truth(dataset, "test", 6), split=split or "test")

            def trainings(self, dataset, split=None, epochs=None):
                return None

            def choose_truth(self, dataset, split, epochs):
                return "test", 6

        exhibit = noise_ceiling_of_benchmark(Means(), "digits")
        assert exhibit.grids[0].data["relation"].tolist() == ["other images"]
        assert "cannot be estimated" in exhibit.grids[0].notes[0]


class TestRequiredN:
    def test_fewest_first_and_without_a_number_last(self, run):
        data = required_n(run, draws=0).grids[0].data
        known = data["required"].dropna()
        assert known.is_monotonic_increasing
        assert data["proxy"].iloc[-1] == "flops", "it ranks as #Params does"
        assert np.isnan(data["required"].iloc[-1])

    def test_more_than_the_benchmark_has_is_said(self, run):
        notes = required_n(run, difference=0.01, draws=0).grids[0].notes
        assert "more than the 500 networks there are" in notes[-1]

    def test_a_check_comes_with_it_only_where_there_are_enough_networks(self, run):
        assert [grid.name for grid in required_n(run).grids] == ["required_n"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"difference": 0.0}, "give one such as 0.03"),
            ({"power": 1.0}, "give one such as 0.8"),
            ({"baseline": "nobody"}, "unknown proxy"),
        ],
    )
    def test_numbers_that_make_no_sense_are_refused(self, run, arguments, message):
        with pytest.raises(HarnessError, match=message):
            required_n(run, **arguments)


class TestBootstrap:
    def test_each_quantity_has_a_table(self, run):
        exhibit = bootstrap(run, resamples=100)
        assert [grid.name for grid in exhibit.grids] == [
            "bootstrap_kendall", "bootstrap_spearman", "bootstrap_difference",
        ]  # fmt: skip
        assert [len(grid.data) for grid in exhibit.grids] == [8, 8, 7]

    def test_too_few_resamples_are_refused(self, run):
        with pytest.raises(HarnessError, match="ask for 100 or more"):
            bootstrap(run, resamples=10)
