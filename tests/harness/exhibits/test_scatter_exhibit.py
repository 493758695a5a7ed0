"""The scatter plots of a run, or of some of its proxies."""

import pytest

from harness.errors import UnknownNameError
from harness.exhibits.scatter import scatter
from harness.results import open_run


@pytest.fixture
def run(digits_runs):
    return open_run(digits_runs[0])


def test_a_panel_for_each_proxy_best_first(run):
    (drawing,) = scatter(run).drawings
    figure = drawing.draw(6.8)
    titles = [axes.get_title() for axes in figure.axes if axes.get_visible()]
    assert len(titles) == 8 and titles[-1] == "Plain"
    assert list(drawing.data.columns)[:2] == ["architecture", "accuracy"] and len(drawing.data) == 24


def test_one_proxy_has_files_of_its_own(run):
    exhibit = scatter(run, ["naswot"])
    (drawing,), (grid,) = exhibit.drawings, exhibit.grids
    assert (exhibit.name, drawing.name, grid.name) == (
        "scatter_naswot",
        "scatter_naswot",
        "scatter_naswot_coefficients",
    )
    assert [axes.get_title() for axes in drawing.draw(3.3).axes] == ["NASWOT"]
    assert list(drawing.data.columns) == ["architecture", "accuracy", "naswot"]
    assert list(grid.data["proxy"]) == ["naswot"]


def test_proxy_and_baseline_may_be_aliases(run):
    assert scatter(run, ["nwot"]).name == "scatter_naswot"
    plain, alias = (scatter(run, baseline=name).grids[0].data for name in ("naswot", "nwot"))
    assert plain["verdict"].tolist() == alias["verdict"].tolist()


def test_a_proxy_that_was_not_scored_is_refused(run):
    with pytest.raises(UnknownNameError, match="did you mean 'naswot'"):
        scatter(run, ["nasswot"])
