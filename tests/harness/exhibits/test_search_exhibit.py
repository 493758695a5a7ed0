"""The exhibit of random search says what was drawn from, checks itself, and draws what it is asked to."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from harness.analysis.search import OPTIMUM, search_table
from harness.display.figures.style import BLACK
from harness.errors import HarnessError, UnknownNameError
from harness.exhibits.search import search
from harness.results import open_run


@pytest.fixture(scope="module")
def run(digits_runs):
    return open_run(digits_runs[0])


@pytest.fixture(scope="module")
def exhibit(run):
    return search(run, draws=[2, 8], repetitions=500)


def test_the_closed_form_is_shown_and_the_simulation_beside_it(run, exhibit):
    data = exhibit.grids[0].data
    exact = search_table(run.joined, [2, 8])
    pd.testing.assert_frame_equal(data[exact.columns].reset_index(drop=True), exact, check_exact=False)
    assert np.allclose(data["simulated_accuracy"], data["accuracy"], atol=6 * data["deviation"].max() / np.sqrt(500))
    assert (data["repetitions"] == 500).all()
    assert any("500 simulated searches" in note for note in exhibit.grids[0].notes)


def test_without_repetitions_nothing_is_simulated(run):
    grid = search(run, draws=[2, 8], repetitions=0).grids[0]
    assert "simulated_accuracy" not in grid.data
    assert not any("simulated" in note for note in grid.notes)


def test_the_best_at_the_largest_n_comes_first_and_every_proxy_is_there(run, exhibit):
    shown = exhibit.grids[0].columns[0].values
    assert shown[0] == "Optimum (best draw)"
    assert {"#Params", "SynFlow", "Random (first draw)"} <= set(shown)
    assert len(shown) == len(run.joined.rows) + 2


def test_the_columns_tell_whether_it_grows(exhibit):
    headers = {column.header.replace("\n", " "): list(map(str, column.cells)) for column in exhibit.grids[0].columns}
    assert list(headers) == ["Proxy", "N = 2", "N = 8", "Change 2 → 8", "Grows with N", "Best at N"]
    cells = {name: dict(zip(headers["Proxy"], texts, strict=True)) for name, texts in headers.items()}
    assert cells["Grows with N"]["Optimum (best draw)"] == "yes"
    assert cells["Change 2 → 8"]["Optimum (best draw)"].startswith("+")
    assert cells["Best at N"]["Random (first draw)"] == "–"
    assert " ± " in cells["N = 2"]["#Params"]


def test_bold_is_the_best_proxy_and_never_the_optimum(exhibit):
    column = exhibit.grids[0].columns[1]
    assert not column.best[0]
    assert any(column.best)


def test_it_says_how_networks_are_drawn(run, exhibit):
    assert "24 networks with replacement" in exhibit.grids[0].notes[0]
    assert "24 networks without replacement" in search(run, draws=[2], replacement=False).grids[0].notes[0]


def test_one_size_alone_has_no_growth(run):
    assert [column.name for column in search(run, draws=[5], repetitions=0).grids[0].columns] == ["proxy", "N = 5"]


def test_the_figure_shows_what_is_asked_for_beside_optimum_and_random(run):
    (drawing,) = search(run, draws=[2, 8], repetitions=0, shown=["snip", "zen"]).drawings
    (axes,) = drawing.draw(3.3).axes
    lines = {line.get_label(): to_hex(line.get_color()) for line in axes.lines}
    assert list(lines) == ["Optimum (best draw)", "SNIP", "Zen-Score"]
    assert [text.get_text().partition(":")[0] for text in axes.texts] == ["↓ Random (first draw)"]
    assert lines["Optimum (best draw)"] == BLACK
    assert set(drawing.data["row"]) >= {OPTIMUM, "snip", "zen"}


def test_the_axis_is_for_what_the_proxies_differ_by(run):
    (drawing,) = search(run, draws=[2, 8], repetitions=0, shown=["snip", "zen"]).drawings
    (axes,) = drawing.draw(3.3).axes
    means = np.concatenate([line.get_ydata() for line in axes.lines])
    low, high = axes.get_ylim()
    assert low < means.min() and high > run.joined.accuracy.max()
    assert high - low < 1.2 * (run.joined.accuracy.max() - means.min())


def test_a_random_draw_that_is_not_far_below_is_a_line(run):
    # The first draw is a random one for every proxy, so that it is on the axis anyway.
    (drawing,) = search(run, draws=[1, 20], repetitions=0).drawings
    (axes,) = drawing.draw(3.3).axes
    assert "Random (first draw)" in [line.get_label() for line in axes.lines] and not axes.texts


def test_bands_end_at_the_worst_and_the_best_network(run):
    (drawing,) = search(run, draws=[1, 20], repetitions=0).drawings
    (axes,) = drawing.draw(3.3).axes
    heights = np.concatenate([band.get_paths()[0].vertices[:, 1] for band in axes.collections])
    assert heights.min() >= run.joined.accuracy.min() and heights.max() <= run.joined.accuracy.max()


def test_params_is_always_in_the_figure_and_its_doubles_are_not(run):
    (drawing,) = search(run, draws=[2, 8], repetitions=0).drawings
    (axes,) = drawing.draw(3.3).axes
    labels = [line.get_label() for line in axes.lines]
    assert "#Params" in labels and len(labels) <= 6


def test_sets_can_be_chosen_and_are_named(run):
    exhibit = search(run, draws=[2], subset="unique", repetitions=0)
    size = len(run.within("unique"))
    assert f"Only those in the set 'unique': {size}" in exhibit.heading.facts[-1]
    assert f"of these {size} networks" in exhibit.grids[0].notes[0]


def test_what_is_not_there_is_refused(run):
    with pytest.raises(UnknownNameError, match="did you mean 'synflow'"):
        search(run, draws=[2], shown=["synflo"], repetitions=0).drawings[0].draw(3.3)
    with pytest.raises(HarnessError, match="without replacement"):
        search(run, draws=[25], replacement=False)
