"""The two kinds of figure that several analyses share."""

import numpy as np
import pandas as pd
import pytest

from harness.display.figures.lines import LOOKS, highlighted, plot_lines
from harness.display.figures.matrix import plot_matrix


def line(values):
    return pd.Series(values, index=[1.0, 10.0, 100.0])


@pytest.fixture
def lines():
    return {name: line([0.1 * k, 0.2, 0.3]) for k, name in enumerate(["params", "zico", "zen", "lot"])}


def drawn(lines, **options):
    defaults = {"stand_out": ["zico"], "baseline": "params", "labels": None, "xlabel": "k", "ylabel": "τ"}
    (axes,) = plot_lines(lines, 3.3, **(defaults | options)).axes
    return axes


def test_ticks_stand_where_something_was_computed(lines):
    assert drawn(lines).get_xticks().tolist() == [1, 10, 100]


def test_lines_that_stand_out_differ_in_colour_and_marker():
    assert len({colour for colour, _ in LOOKS}) == len({marker for _, marker in LOOKS}) == len(LOOKS)


def test_every_line_is_drawn_and_named_or_grey(lines):
    axes = drawn(lines, dotted="lot")
    labels = [one.get_label() for one in axes.lines]
    assert [label for label in labels if not label.startswith("_")] == ["zico", "params", "lot", "others"]
    assert len(labels) == len(lines) + 1


def test_no_more_stand_out_than_can_be_told_apart():
    names = [f"p{i}" for i in range(20)]
    assert highlighted(names, "p0") == names[1 : 1 + len(LOOKS)]
    assert highlighted(names, "p0", ["p9", "p0"]) == ["p9"]


@pytest.mark.parametrize(("width", "numbers"), [(6.8, 4), (1.0, 0)])
def test_cells_hold_their_numbers_where_there_is_room(width, numbers):
    values = pd.DataFrame([[1.0, -0.5], [np.nan, 0.0]])
    names = ["a proxy with a long name", "b"]
    axes = plot_matrix(values, width, rows=names, columns=["x", "y"], label="τ").axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown == (["1", "−.50", "–", ".00"] if numbers else [])
