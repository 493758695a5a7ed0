"""Figures: what is drawn is tested as data; that it can be drawn, by drawing it."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.display.figures.scatter_panel import accuracy_view, is_heavy_tailed
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.reporting import bar_data, plot_bars, plot_scatter, scatter_data, write_figures


def texts(axes):
    return [text.get_text() for text in axes.texts]


class TestBars:
    def test_the_data_are_the_rows_of_the_set_best_first(self, table):
        data = bar_data(table)
        assert list(data["proxy"]) == ["nwot", "params", "jacob_cov", "plain", "broken"]
        assert data["kendall"].iloc[0] == table["kendall"].iloc[0]
        assert list(bar_data(table, "connected")["proxy"]) == ["params", "nwot"]

    def test_an_unknown_set_is_refused(self, table):
        with pytest.raises(UnknownNameError, match="unique"):
            bar_data(table, "unique")

    def test_labels_values_and_reference_are_drawn(self, table, labels):
        axes = plot_bars(bar_data(table), labels=labels, title="a title")
        assert [tick.get_text() for tick in axes.get_yticklabels()] == [
            "NASWOT", "#Params", "jacob_cov", "plain", "broken",
        ]  # fmt: skip
        assert texts(axes) == [".612", ".578", ".570", "−.244", "–"]
        assert axes.figure.get_suptitle() == "a title"
        reference = [line for line in axes.lines if list(line.get_xdata()) == [0.5778, 0.5778]]
        assert len(reference) == 1

    def test_verdicts_differ_in_shape_and_not_only_in_colour(self, table):
        axes = plot_bars(bar_data(table))
        points = [line.get_marker() for line in axes.lines if line.get_marker() not in ("None", "")]
        assert points == ["^", "D", "o", "v"]

    def test_it_draws_where_it_is_told(self, table):
        axes = mpl.figure.Figure().add_subplot()
        assert plot_bars(bar_data(table), axes) is axes

    def test_a_baseline_that_failed_leaves_the_chart_whole(self, table):
        table.loc[1, ["kendall", "kendall_low", "kendall_high"]] = np.nan
        assert texts(plot_bars(bar_data(table)))[-2:] == ["–", "–"]


class TestScatterData:
    def test_one_row_for_each_architecture_and_one_column_for_each_proxy(self, scores, truth):
        data = scatter_data(scores, truth)
        assert list(data.columns) == ["accuracy", "nwot", "params", "jacob_cov", "plain", "broken"]
        assert data.index.name == "architecture"
        assert len(data) == 60
        pd.testing.assert_series_equal(data["accuracy"], truth.accuracy, check_names=False)
        assert list(data["plain"]) == list(-np.arange(60.0))

    def test_what_is_not_ok_or_not_finite_is_missing(self, scores, truth):
        data = scatter_data(scores, truth)
        assert data["broken"].isna().all()
        assert list(data.index[data["jacob_cov"].isna()]) == [truth.accuracy.index[5]]

    def test_two_scores_of_one_proxy_are_refused(self, scores, truth):
        with pytest.raises(HarnessError, match=r"proxy 'nwot' has 2 scores of the architecture '\|cell~0\|'"):
            scatter_data(pd.concat([scores, scores.iloc[:1]]), truth)

    def test_scores_of_other_architectures_are_refused(self, scores, truth):
        with pytest.raises(DataError, match="none of the scored architectures has an accuracy in nats-tss"):
            scatter_data(scores.assign(architecture="elsewhere" + scores["architecture"]), truth)


class TestView:
    @given(arrays(float, st.integers(1, 60), elements=st.floats(0, 100)))
    def test_inside_and_outside_are_all_networks(self, accuracy):
        view = accuracy_view(accuracy)
        assert view.low < view.high
        assert ((accuracy >= view.low) & (accuracy <= view.high)).sum() + view.outside == len(accuracy)
        assert view.outside <= len(accuracy) / 2

    def test_networks_that_failed_to_train_do_not_squash_the_rest(self):
        view = accuracy_view(np.concatenate([np.full(3, 10.0), np.linspace(85, 94, 97)]))
        assert view.outside == 3
        assert view.low > 80

    @given(st.floats(0.001, 1000), st.floats(-1000, 1000))
    def test_a_linear_change_of_the_score_does_not_change_how_it_is_drawn(self, scale, shift):
        normal = np.random.default_rng(0).normal(size=500)
        assert not is_heavy_tailed(normal * scale + shift)
        assert is_heavy_tailed(np.exp(30 * normal) * scale)


class TestScatter:
    def test_panels_follow_the_table_and_show_its_coefficients(self, scores, truth, table, labels):
        figure = plot_scatter(scatter_data(scores, truth), table, labels)
        panels = [axes for axes in figure.axes if axes.get_visible()]
        assert [axes.get_title() for axes in panels] == ["NASWOT", "#Params", "jacob_cov", "plain", "broken"]
        assert texts(panels[0]) == ["τ .612\nρ .762"]
        assert texts(panels[3]) == ["τ −.244\nρ −.094"]
        assert texts(panels[4]) == ["no score"]

    def test_networks_outside_the_view_are_counted_and_drawn(self, scores, truth):
        data = scatter_data(scores, truth)
        figure = plot_scatter(data)
        assert (
            figure.get_supxlabel() == "1 of 60 networks lies outside the view and is drawn at its edge, as a triangle."
        )
        points = [len(collection.get_offsets()) for collection in figure.axes[0].collections]
        assert points == [59, 1]
        assert figure.axes[0].get_ylim()[0] > 50

    def test_heavy_tailed_scores_are_drawn_by_rank_and_say_so(self, scores, truth):
        data = scatter_data(scores, truth)[["accuracy", "nwot"]]
        data["exploding"] = 10.0 ** data["nwot"]
        linear, ranked = plot_scatter(data).axes
        assert linear.get_xlabel() == "score"
        assert ranked.get_xlabel() == "rank of score"

    def test_scores_that_differ_in_late_digits_alone_are_drawn_by_rank(self, scores, truth):
        data = scatter_data(scores, truth)[["accuracy", "nwot"]]
        data["nearly_equal"] = 1.6e-4 + 1e-15 * data["nwot"]
        linear, ranked = plot_scatter(data).axes
        assert linear.get_xlabel() == "score"
        assert ranked.get_xlabel() == "rank of score"

    def test_very_many_points_become_densities(self):
        rng = np.random.default_rng(0)
        data = pd.DataFrame({"accuracy": rng.uniform(80, 94, 6000), "nwot": rng.normal(size=6000)})
        assert len(plot_scatter(data).axes[0].collections[0].get_array()) < 6000


class TestFiles:
    def test_each_figure_is_written_with_its_data(self, tmp_path, table, scores, truth, heading, labels):
        paths = write_figures(tmp_path / "figures", table, scores, truth, heading, labels=labels)
        stems = ("kendall_by_proxy", "accuracy_by_score")
        assert {path.name for path in paths} == {f"{stem}.{kind}" for stem in stems for kind in ("pdf", "png", "csv")}
        assert all(path.stat().st_size > 0 for path in paths)
        bars = pd.read_csv(tmp_path / "figures" / "kendall_by_proxy.csv")
        pd.testing.assert_frame_equal(bars, bar_data(table), rtol=1e-15, atol=0)
        points = pd.read_csv(tmp_path / "figures" / "accuracy_by_score.csv", index_col=0)
        pd.testing.assert_frame_equal(points, scatter_data(scores, truth), rtol=1e-15, atol=0)

    def test_the_same_data_give_the_same_pdf_with_embedded_fonts(self, tmp_path, table, scores, truth, heading):
        first, second = (
            (write_figures(tmp_path / name, table, scores, truth, heading)[0]).read_bytes() for name in "ab"
        )
        assert first == second
        assert b"/FontFile2" in first
        assert b"/Type3" not in first

    def test_an_empty_table_is_refused_before_anything_is_written(self, tmp_path, table, scores, truth, heading):
        with pytest.raises(DataError, match="no rows"):
            write_figures(tmp_path / "figures", table.iloc[:0], scores, truth, heading)
        assert not (tmp_path / "figures").exists()

    def test_a_run_in_which_everything_failed_is_still_drawn(self, tmp_path, table, scores, truth, heading):
        columns = [name for name in table if name.startswith(("kendall", "spearman", "difference", "p_value"))]
        lost = table.assign(**dict.fromkeys(columns, np.nan))
        none = scores.assign(status="failed", value=np.nan)
        assert len(write_figures(tmp_path, lost, none, truth, heading)) == 6

    def test_matplotlib_is_left_as_it_was(self, tmp_path, table, scores, truth, heading):
        before = dict(mpl.rcParams)
        write_figures(tmp_path, table, scores, truth, heading)
        assert dict(mpl.rcParams) == before


def test_the_package_is_imported_without_matplotlib():
    code = "import sys, harness.reporting; from harness.reporting import Heading; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_name_is_an_attribute_error():
    import harness.reporting

    with pytest.raises(AttributeError, match="plot_bar"):
        _ = harness.reporting.plot_bar
