"""One panel of score against accuracy: points, or densities if there are many points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.display.figures.density import draw_hexagons, hexagon_counts
from harness.display.figures.style import BLUE, GREY, VERMILLION
from harness.display.tables.numbers import coefficient, typographic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection

Values = NDArray[np.float64]

MANY_POINTS = 5_000
"""With more points, they would cover one another, and a panel shows densities."""


@dataclass(frozen=True)
class View:
    """The range of accuracies that a panel shows.

    Attributes:
        low: the lower limit.
        high: the upper limit.
        outside: the number of networks outside the limits.
    """

    low: float
    high: float
    outside: int

    def holds(self, accuracy: Values) -> NDArray[np.bool_]:
        """Mask of the accuracies within the limits."""
        return (accuracy >= self.low) & (accuracy <= self.high)


def accuracy_view(accuracy: Values) -> View:
    """Limits that are robust to a few failed networks.

    They are Tukey's far-out fences, three interquartile ranges beyond the quartiles, or the extremes if these are
    closer.

    >>> accuracy_view(np.array([10.0, *np.linspace(80, 90, 50)]))
    View(low=79.6, high=90.4, outside=1)
    """
    lower, upper = np.quantile(accuracy, [0.25, 0.75])
    reach = 3 * (upper - lower)
    inside = accuracy[(accuracy >= lower - reach) & (accuracy <= upper + reach)]
    margin = 0.04 * (inside.max() - inside.min()) or 0.04 * abs(inside.max()) or 1.0
    low, high = float(inside.min() - margin), float(inside.max() + margin)
    return View(low, high, int(((accuracy < low) | (accuracy > high)).sum()))


def is_heavy_tailed(scores: Values) -> bool:
    """Whether a few scores extend the axis so far that the others would form a single line.

    This is so if the middle 90 % of the scores cover less than a quarter of the whole range.

    >>> is_heavy_tailed(np.linspace(0, 1, 100)), is_heavy_tailed(np.logspace(0, 60, 100))
    (False, True)
    """
    low, high = np.quantile(scores, [0.05, 0.95])
    return bool(high - low < 0.25 * (scores.max() - scores.min()))


def is_narrow(scores: Values) -> bool:
    """Whether scores differ so little, relative to their size, that the axis needs more digits than fit a panel.

    >>> is_narrow(np.array([1.00001, 1.00002])), is_narrow(np.array([1.1, 1.2])), is_narrow(np.array([3.0, 3.0]))
    (True, False, False)
    """
    return bool(0 < np.ptp(scores) < 1e-4 * np.abs(scores).max())


@dataclass(frozen=True)
class Panel:
    """The contents of one panel.

    Attributes:
        x: the scores, or their ranks if they are heavy-tailed or nearly equal. Shape (n,).
        accuracy: the accuracies of the same networks. Shape (n,).
        by_rank: whether x are ranks.
        view: the range of accuracies.
        counts: the densities of the networks in the view, if there are many; else None.
    """

    x: Values
    accuracy: Values
    by_rank: bool
    view: View
    counts: pd.DataFrame | None

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest x; different even if all scores are equal."""
        low, high = float(self.x.min()), float(self.x.max())
        margin = 0.0 if high > low else 0.5 * abs(low) or 0.5
        return low - margin, high + margin

    @property
    def most(self) -> int:
        """The largest number of networks in one hexagon; 0 if there are none."""
        return 0 if self.counts is None or self.counts.empty else int(self.counts["networks"].max())


def make_panel(scores: Values, accuracy: Values, view: View) -> Panel:
    """Decide how the networks are shown, and count them per hexagon if there are many.

    Args:
        scores: finite scores, shape (n,).
        accuracy: the accuracies of the same networks, shape (n,).
        view: the range of accuracies to show.
    """
    by_rank = len(scores) > 0 and (is_heavy_tailed(scores) or is_narrow(scores))
    panel = Panel(_ranks(scores) if by_rank else scores, accuracy, by_rank, view, None)
    if len(scores) <= MANY_POINTS:
        return panel
    inside = view.holds(accuracy)
    counts = hexagon_counts(panel.x[inside], accuracy[inside], panel.limits, (view.low, view.high))
    return Panel(panel.x, accuracy, by_rank, view, counts)


def plot_panel(
    panel: Panel, ax: Axes, *, coefficients: tuple[float, float] | None = None, most: int | None = None
) -> PolyCollection | None:
    """Draw a panel; networks outside the view are triangles at its edge.

    Args:
        panel: what to draw.
        ax: the axes to draw in.
        coefficients: τ and ρ, written in the emptiest corner.
        most: the number of networks with the darkest colour; default: the panel's maximum.

    Returns:
        The densities, for a colour bar; None if points are drawn.
    """
    from matplotlib.ticker import MaxNLocator

    view = panel.view
    ax.set_ylim(view.low, view.high)
    ax.tick_params(labelsize="x-small", pad=1.5)
    if len(panel.x) == 0:
        ax.text(0.5, 0.5, "no score", transform=ax.transAxes, ha="center", va="center", color=GREY)
        ax.set_xticks([])
        return None
    ax.set_xlabel("rank of score" if panel.by_rank else "score", fontsize="x-small", labelpad=1)
    inside = view.holds(panel.accuracy)
    filled = None
    if panel.counts is not None:
        filled = draw_hexagons(ax, panel.counts, panel.limits, (view.low, view.high), most or panel.most)
    else:
        # Fewer points can be larger and less transparent.
        size = float(np.clip(600 / math.sqrt(len(panel.x)) / 8, 2.5, 10))
        ax.scatter(
            panel.x[inside], panel.accuracy[inside], s=size, color=BLUE, alpha=0.35, linewidths=0, rasterized=True
        )
    edge = np.clip(panel.accuracy[~inside], view.low, view.high)
    ax.scatter(
        panel.x[~inside], edge, s=5, marker="v", color=VERMILLION, alpha=0.6, linewidths=0, clip_on=False,
        rasterized=True,
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 4), useMathText=True)
    ax.xaxis.get_offset_text().set_fontsize("xx-small")
    if coefficients is not None:
        _write_coefficients(ax, panel, *coefficients)
    return filled


def _ranks(scores: Values) -> Values:
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores), dtype=float)


def _write_coefficients(ax: Axes, panel: Panel, kendall: float, spearman: float) -> None:
    text = typographic(f"τ {coefficient(kendall)}\nρ {coefficient(spearman)}")
    right, top = _emptiest_corner(panel)
    ax.text(
        0.97 if right else 0.04,
        0.96 if top else 0.04,
        text,
        transform=ax.transAxes,
        ha="right" if right else "left",
        va="top" if top else "bottom",
        fontsize="small",
        linespacing=1.05,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
    )


def _emptiest_corner(panel: Panel) -> tuple[bool, bool]:
    """Whether the text is at the right, and at the top: the corner where it covers the fewest networks."""
    low, high = panel.limits
    right = (panel.x - low) / (high - low)
    up = np.clip((panel.accuracy - panel.view.low) / (panel.view.high - panel.view.low), 0, 1)
    covered = {
        (is_right, is_top): int(np.sum((right > 0.6 if is_right else right < 0.4) & (up > 0.7 if is_top else up < 0.3)))
        for is_top in (False, True)
        for is_right in (True, False)
    }
    return min(covered, key=covered.__getitem__)
