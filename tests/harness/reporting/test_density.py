"""Hexagons count every point once, each at its nearest centre."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

from harness.display.figures.density import ACROSS, UP, density_colours, draw_hexagons, hexagon_counts

unit = arrays(float, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(0, 1))


def centres():
    """All centres of the honeycomb over the unit square, made as two lattices."""
    corners = [(a / ACROSS, b / UP) for a in range(ACROSS + 1) for b in range(UP + 1)]
    middles = [((a + 0.5) / ACROSS, (b + 0.5) / UP) for a in range(ACROSS) for b in range(UP)]
    return np.array(corners + middles)


@settings(deadline=None)
@given(unit)
def test_every_point_is_counted_once_at_a_centre_none_is_nearer_than(points):
    counts = hexagon_counts(points[:, 0], points[:, 1], (0, 1), (0, 1))
    assert counts["networks"].sum() == len(points)
    scale = np.array([ACROSS, UP * math.sqrt(3)])
    held = counts[["x", "y"]].to_numpy() * scale
    for point in points * scale:
        nearest = np.linalg.norm(centres() * scale - point, axis=1).min()
        assert np.linalg.norm(held - point, axis=1).min() <= nearest + 1e-9


@settings(deadline=None)
@given(unit, st.sampled_from([2.0**power for power in (-30, -3, 1, 40)]))
def test_the_unit_of_the_score_does_not_matter(points, scale):
    plain = hexagon_counts(points[:, 0], points[:, 1], (0, 1), (0, 1))
    scaled = hexagon_counts(points[:, 0] * scale, points[:, 1], (0, scale), (0, 1))
    assert list(scaled["networks"]) == list(plain["networks"])
    assert scaled["x"].to_numpy() == pytest.approx(plain["x"].to_numpy() * scale)


def test_the_counts_agree_with_those_of_matplotlib():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(2, 20_000))
    ours = hexagon_counts(x, y, (0, 1), (0, 1))
    theirs = Figure().add_subplot().hexbin(x, y, gridsize=(ACROSS, UP), extent=(0, 1, 0, 1), mincnt=1)
    # Points on a border fall to either side; there are none in random data.
    assert sorted(ours["networks"]) == sorted(theirs.get_array())


def test_hexagons_touch_and_do_not_overlap():
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 1, 200), np.linspace(0, 1, 200)))
    counts = hexagon_counts(x, y, (0, 1), (0, 1))
    filled = draw_hexagons(Figure().add_subplot(), counts, (0, 1), (0, 1), 10)
    areas = [shoelace(path.vertices[:6]) for path in filled.get_paths()]
    # One hexagon for each point of either lattice: two for each rectangle of the grid.
    assert areas == pytest.approx([1 / (2 * ACROSS * UP)] * len(areas))
    assert filled.get_rasterized()


def shoelace(corners):
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_a_single_network_is_seen_on_white():
    assert max(density_colours()(0.0)[:3]) < 0.98 and min(density_colours()(0.0)[:3]) < 0.85
