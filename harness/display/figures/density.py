"""Draw many points as hexagons coloured by their number of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import Colormap

Values = NDArray[np.float64]
Limits = tuple[float, float]

ACROSS = 30
"""The number of hexagons across a panel; a panel is slightly wider than high."""
UP = round(ACROSS / 2)

# In units of the horizontal distance between centres, and of the vertical distance over two rows.
CORNERS = np.array([(0.5, 1 / 6), (0, 1 / 3), (-0.5, 1 / 6), (-0.5, -1 / 6), (0, -1 / 3), (0.5, -1 / 6)])


def hexagon_counts(x: Values, y: Values, x_limits: Limits, y_limits: Limits) -> pd.DataFrame:
    """The number of points in each hexagon of a grid over the limits; one row per non-empty hexagon.

    A point belongs to the nearest centre. The centres form two lattices, one shifted by half a step in both
    directions; the nearer of the two lattice points is used. Time O(n).

    Args:
        x: x coordinates, shape (n,), within the limits.
        y: y coordinates, likewise.
        x_limits: the lowest and the highest x of the grid.
        y_limits: the lowest and the highest y.

    Returns:
        A table with the columns ``x`` and ``y``, the centre, and ``networks``, the count.

    >>> hexagon_counts(np.array([0.0, 0.01, 1.0]), np.array([0.0, 0.0, 1.0]), (0, 1), (0, 1))
         x    y  networks
    0  0.0  0.0         2
    1  1.0  1.0         1
    """
    across = (x - x_limits[0]) / (x_limits[1] - x_limits[0]) * ACROSS
    up = (y - y_limits[0]) / (y_limits[1] - y_limits[0]) * UP
    corner = np.rint(across), np.rint(up)
    middle = np.floor(across) + 0.5, np.floor(up) + 0.5
    nearer = _distance(across, up, *corner) <= _distance(across, up, *middle)
    # After doubling, the centres of both lattices are whole numbers.
    column = np.rint(2 * np.where(nearer, corner[0], middle[0])).astype(np.int64)
    row = np.rint(2 * np.where(nearer, corner[1], middle[1])).astype(np.int64)
    stride = 2 * UP + 2
    counts = np.bincount(column * stride + row)
    held = np.flatnonzero(counts)
    return pd.DataFrame(
        {
            "x": x_limits[0] + held // stride / (2 * ACROSS) * (x_limits[1] - x_limits[0]),
            "y": y_limits[0] + held % stride / (2 * UP) * (y_limits[1] - y_limits[0]),
            "networks": counts[held],
        }
    )


def draw_hexagons(ax: Axes, counts: pd.DataFrame, x_limits: Limits, y_limits: Limits, most: int) -> PolyCollection:
    """Fill the hexagons; the darker, the more networks they have, on a logarithmic scale.

    They are rasterised even in a PDF file, which would otherwise be large and show fine seams in many viewers.

    Args:
        ax: the axes to draw in.
        counts: the result of :func:`hexagon_counts`.
        x_limits: the limits that the counts were computed with.
        y_limits: likewise.
        most: the count of the darkest colour, so that several panels can share a scale.

    Returns:
        The hexagons, for a colour bar.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LogNorm

    steps = np.array([(x_limits[1] - x_limits[0]) / ACROSS, (y_limits[1] - y_limits[0]) / UP])
    centres = counts[["x", "y"]].to_numpy(dtype=np.float64)
    corners = centres[:, None, :] + CORNERS * steps
    filled = PolyCollection(
        list(corners),
        array=counts["networks"].to_numpy(dtype=np.float64),
        cmap=density_colours(),
        norm=LogNorm(1, max(most, 2)),
        edgecolors="face",
        linewidths=0.2,
        rasterized=True,
    )
    ax.add_collection(filled, autolim=False)
    margin = steps / 2
    ax.set_xlim(x_limits[0] - margin[0], x_limits[1] + margin[0])
    return filled


def density_colours() -> Colormap:
    """Blues, starting with one that is visible on white, so that a single network can be seen."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    return ListedColormap(mpl.colormaps["Blues"](np.linspace(0.22, 1, 256)))


def _distance(x: Values, y: Values, centre_x: Values, centre_y: Values) -> Values:
    distance: Values = (x - centre_x) ** 2 + (math.sqrt(3) * (y - centre_y)) ** 2
    return distance
