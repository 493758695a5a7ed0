"""Panels of score against accuracy: points or densities, in any width, small as a file."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from harness.display.figures.saving import figure_bytes
from harness.display.figures.scatter import density_data, figure_data, plot_scatter
from harness.display.figures.scatter_panel import MANY_POINTS, accuracy_view, make_panel, plot_panel


@pytest.fixture
def many():
    """More networks than are drawn one by one; a few failed to train."""
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(80, 94, MANY_POINTS + 1000)
    accuracy[:20] = 10
    noise = rng.normal(size=len(accuracy))
    return pd.DataFrame(
        {"accuracy": accuracy, "rising": accuracy + noise, "falling": noise - accuracy, "wild": np.exp(9 * noise)},
        index=pd.Index([f"a{number}" for number in range(len(accuracy))], name="architecture"),
    )


def panel_of(rising):
    rng = np.random.default_rng(0)
    accuracy = np.linspace(80, 94, 400)
    scores = (accuracy if rising else -accuracy) + rng.normal(size=400)
    return make_panel(scores, accuracy, accuracy_view(accuracy))


class TestCorner:
    @pytest.mark.parametrize(("rising", "corner"), [(True, (0.97, 0.04)), (False, (0.04, 0.04))])
    def test_coefficients_stand_where_no_network_does(self, rising, corner):
        axes = Figure().add_subplot()
        plot_panel(panel_of(rising), axes, coefficients=(0.5, 0.6))
        (text,) = axes.texts
        assert text.get_position() == corner
        assert text.get_text() == "τ .500\nρ .600"

    def test_an_undefined_coefficient_is_a_dash(self):
        axes = Figure().add_subplot()
        plot_panel(panel_of(True), axes, coefficients=(float("nan"), 0.6))
        assert axes.texts[0].get_text() == "τ –\nρ .600"


class TestDensity:
    def test_every_network_in_the_view_is_counted(self, many):
        data = density_data(many)
        inside = accuracy_view(many["accuracy"].to_numpy()).holds(many["accuracy"].to_numpy()).sum()
        assert inside == len(many) - 20
        assert data.groupby("proxy")["networks"].sum().to_dict() == dict.fromkeys(("rising", "falling", "wild"), inside)
        assert data.groupby("proxy")["by_rank"].first().to_dict()["wild"]

    def test_panels_share_one_scale_that_is_shown(self, many):
        figure = plot_scatter(many)
        norms = {axes.collections[0].norm.vmax for axes in figure.axes[:3]}
        assert norms == {density_data(many)["networks"].max()}
        assert figure.axes[-1].get_ylabel() == "networks"

    def test_the_file_holds_pixels_and_not_every_hexagon(self, many):
        pdf = figure_bytes(plot_scatter(many), "pdf")
        assert len(pdf) < 150_000
        assert pdf.count(b"/Subtype /Image") >= 3

    def test_a_score_that_is_the_same_everywhere_is_drawn(self, many):
        figure = plot_scatter(many[["accuracy"]].assign(same=0.0))
        low, high = figure.axes[0].get_xlim()
        assert low < 0 < high

    def test_the_data_beside_the_figure_are_what_is_drawn(self, many):
        assert list(figure_data(many).columns) == ["proxy", "by_rank", "score", "accuracy", "networks"]
        few = figure_data(many.iloc[:100])
        assert list(few.columns) == ["architecture", "accuracy", "rising", "falling", "wild"] and len(few) == 100


class TestWidth:
    @pytest.mark.parametrize(("width", "across"), [(3.3, 2), (6.8, 3)])
    def test_as_many_panels_stand_side_by_side_as_fit(self, many, width, across):
        figure = plot_scatter(many.iloc[:50], width=width)
        assert figure.get_figwidth() == width
        assert figure.axes[0].get_gridspec().ncols == across

    def test_one_proxy_fills_a_column(self, many):
        figure = plot_scatter(many[["accuracy", "rising"]].iloc[:50], width=3.3)
        assert len(figure.axes) == 1
        assert figure.get_figheight() < 3.3


def test_figures_embed_truetype_and_are_the_same_each_time(many):
    first, again = (plot_scatter(many.iloc[:200]) for _ in range(2))
    written = {kind: figure_bytes(first, kind) for kind in ("pdf", "png", "svg")}
    assert all(figure_bytes(again, kind) == text for kind, text in written.items())
    pdf = written["pdf"]
    assert set(re.findall(rb"/Subtype /(Type\w+|CIDFontType\w)", pdf)) <= {b"Type0", b"TrueType", b"CIDFontType2"}
    assert b"/FontFile2" in pdf
