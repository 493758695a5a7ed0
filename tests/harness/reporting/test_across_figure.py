"""The heat map: every number can be read, in colour and in grey."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from harness.display.figures.colours import diverging
from harness.reporting import plot_heat_map


@pytest.fixture
def data():
    rows = [
        ("nwot", "tss cifar10", 0.75, "win"),
        ("nwot", "sss cifar10", -0.4, "loss"),
        ("params", "tss cifar10", 0.3, "baseline"),
        ("params", "sss cifar10", 0.02, "baseline"),
        ("broken", "tss cifar10", np.nan, "undefined"),
    ]
    return pd.DataFrame(rows, columns=["proxy", "run", "kendall", "verdict"])


def luminance(colour):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


def test_every_cell_shows_its_number_and_absent_ones_nothing(data, labels):
    axes = plot_heat_map(data, labels=labels)
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): ".750", (1, 0): "−.400", (0, 1): ".300", (1, 1): ".020", (0, 2): "–"}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["NASWOT", "#Params", "broken"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["tss\ncifar10", "sss\ncifar10"]


def test_marks_say_win_and_loss_by_their_shape(data):
    axes = plot_heat_map(data)
    assert [line.get_marker() for line in axes.lines] == ["^", "v", "D", "D"]
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == [
        "better than params", "worse", "params",
    ]  # fmt: skip


def test_zero_is_white_and_both_signs_have_the_same_scale(data):
    axes = plot_heat_map(data)
    assert axes.images[0].get_clim() == (-0.8, 0.8)
    assert min(diverging()(0.5)[:3]) > 0.98
    weak, strong = (luminance(diverging()(0.5 + part)[:3]) for part in (0.1, 0.4))
    assert weak > strong


@pytest.mark.parametrize("kendall", np.linspace(-1, 1, 41))
def test_numbers_stand_out_from_their_colour(kendall):
    data = pd.DataFrame(
        [("a", "x", kendall, "tie"), ("b", "x", 1.0, "tie")], columns=["proxy", "run", "kendall", "verdict"]
    )
    axes = plot_heat_map(data)
    behind = luminance(axes.images[0].to_rgba(kendall)[:3])
    text = luminance(axes.texts[0].get_color())
    lighter, darker = max(behind, text), min(behind, text)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_it_draws_where_it_is_told(data):
    axes = Figure().add_subplot()
    assert plot_heat_map(data, axes) is axes


@pytest.mark.parametrize(("runs", "turned"), [(3, 0), (4, 40)])
def test_many_names_are_turned(runs, turned):
    data = pd.DataFrame(
        [("a", f"run{number} d", 0.1, "tie") for number in range(runs)], columns=["proxy", "run", "kendall", "verdict"]
    )
    assert {label.get_rotation() for label in plot_heat_map(data).get_xticklabels()} == {turned}
