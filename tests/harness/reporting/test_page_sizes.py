"""Figures of many proxies still fit a page of a paper, and say which column is whose."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from harness.display.figures.bars import plot_bars
from harness.display.figures.heatmap import plot_heat_map
from harness.display.figures.matrix import plot_matrix
from harness.display.figures.saving import save_figure
from harness.display.figures.scatter import plot_scatter, plot_scatter_pages
from harness.display.figures.style import ONE_COLUMN, PAGE_HEIGHT, TWO_COLUMNS
from harness.exhibits.beyond_size import plot_beyond
from harness.exhibits.noise_ceiling import plot_noise_ceiling
from harness.exhibits.pairs import plot_pairs
from harness.exhibits.required_n import plot_required
from harness.exhibits.stability import plot_stability

MANY = 62
NAMES = [f"proxy number {number}" for number in range(MANY)]


def _estimates(*keys):
    table = pd.DataFrame({"proxy": NAMES, "networks": 1000, "used": 1000, "verdict": ["baseline", *["tie"] * 61]})
    for key in keys:
        table[key] = np.linspace(0.7, -0.1, MANY)
        for end, shift in (("low", -0.05), ("high", 0.05), ("lowest", -0.05), ("highest", 0.05)):
            table[f"{key}_{end}"] = table[key] + shift
    return table


def _bars(width):
    return plot_bars(_estimates("kendall"), title="a title", width=width).figure


def _beyond(width):
    return plot_beyond(_estimates("kendall", "within", "partial_kendall"), None, "#Params", width)


def _stability(width):
    return plot_stability(_estimates("between", "kendall"), None, width)


def _required(width):
    return plot_required(_estimates("kendall").assign(required=500.0), None, 0.05, width)


def _ceiling(width):
    table = _estimates("kendall", "ceiling_kendall").assign(relation="other images", first="a", second="b")
    return plot_noise_ceiling(table, {}, width)


def _matrix(width):
    values = pd.DataFrame(np.eye(MANY), index=NAMES, columns=NAMES)
    return plot_matrix(values, width, rows=NAMES, columns=NAMES, label="τ")


def _pairs(width):
    rows = [(NAMES[i], NAMES[j], 0.1, 0.01) for i in range(MANY) for j in range(i + 1, MANY)]
    table = pd.DataFrame(rows, columns=["first", "second", "kendall_difference", "kendall_p_holm"])
    return plot_pairs(table, None, width)


def _runs(proxies, runs):
    table = pd.DataFrame([(run, name) for name in proxies for run in runs], columns=["run", "proxy"])
    return table.assign(kendall=0.5, verdict="win")


def _heat_map(width):
    return plot_heat_map(_runs(NAMES, [f"benchmark-{n} dataset" for n in range(7)]), width=width).figure


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize(
    "draw", [_bars, _beyond, _stability, _required, _ceiling, _matrix, _pairs, _heat_map], ids=lambda f: f.__name__
)
def test_sixty_two_rows_fit_a_page(draw, width):
    assert draw(width).get_figheight() <= PAGE_HEIGHT + 1e-9


def test_names_of_rows_do_not_run_into_one_another():
    figure = _beyond(ONE_COLUMN)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [label.get_window_extent() for label in axes.get_yticklabels()]
    step = abs(axes.transData.transform((0, 1))[1] - axes.transData.transform((0, 0))[1])
    assert all(box.height < 1.25 * step for box in names)


def _points(proxies):
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=20) for name in NAMES[:proxies]}
    return pd.DataFrame({"accuracy": rng.normal(90, 1, 20), **data})


@pytest.mark.parametrize(("width", "pages"), [(ONE_COLUMN, 4), (TWO_COLUMNS, 2)])
def test_panels_that_do_not_fit_a_page_are_several_pages_of_the_pdf(width, pages, tmp_path):
    figures = plot_scatter_pages(_points(MANY), width=width)
    assert len(figures) == pages and all(figure.get_figheight() <= PAGE_HEIGHT for figure in figures)
    titles = [ax.get_title() for figure in figures for ax in figure.axes if ax.get_visible()]
    assert titles == NAMES


def test_parts_are_the_pages_of_one_pdf_and_the_picture_is_whole(tmp_path):
    first, again = (
        save_figure(Figure(figsize=(1, 3)), tmp_path / stem, pages=[Figure(figsize=(1, 1)), Figure(figsize=(1, 2))])
        for stem in ("first", "again")
    )
    pdf = first[0].read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2 and pdf == again[0].read_bytes()
    assert [path.suffix for path in first] == [".pdf", ".png"]


def test_every_page_shows_every_character(tmp_path):
    pages = [Figure(figsize=(1, 1)), Figure(figsize=(1, 1))]
    written = [page.suptitle("a\x1bb") for page in pages]
    save_figure(Figure(figsize=(1, 2)), tmp_path / "pages", pages=pages)
    assert [text.get_text() for text in written] == [r"a\x1bb", r"a\x1bb"]


def test_panels_that_fit_a_page_are_one():
    (figure,) = plot_scatter_pages(_points(14))
    assert figure.get_figheight() == plot_scatter(_points(14)).get_figheight()


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("runs", [4, 7, 16])
def test_a_slanted_name_begins_above_the_middle_of_its_column(runs, width):
    names = [f"benchmark-{number} class_scene" for number in range(runs)]
    axes = plot_heat_map(_runs(NAMES[:14], names), width=width)
    axes.figure.draw_without_rendering()
    shown = [label for label in axes.get_xticklabels() if label.get_visible()]
    assert [label.get_text() for label in shown] == names
    middles = axes.transData.transform([(column, 0) for column in range(runs)])[:, 0]
    cell = middles[1] - middles[0]
    for label, middle in zip(shown, middles, strict=True):
        assert label.get_rotation_mode() == "anchor" and label.get_horizontalalignment() == "left"
        box = label.get_window_extent()
        # What leans out to the left is the first letter, which is turned with the rest.
        letter = axes.figure.dpi / 72 * label.get_fontsize()
        leans = letter * math.sin(math.radians(label.get_rotation()))
        assert abs(box.x0 - middle) <= max(leans, 0.3 * cell) + 1
    # And no name covers the next one.
    turned = math.sin(math.radians(shown[0].get_rotation()))
    assert cell * turned > 0.95 * axes.figure.dpi / 72 * shown[0].get_fontsize()
