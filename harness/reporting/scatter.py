"""Score against accuracy, one small panel for each proxy."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.reporting.numbers import coefficient, count
from harness.reporting.rows import Labels, label_of, main_set, set_rows
from harness.reporting.style import BLUE, GREY, ONE_COLUMN, TWO_COLUMNS, VERMILLION, paper_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.benchmark import GroundTruth

Values = NDArray[np.float64]

MANY_POINTS = 5_000
"""Beyond this, single points cover one another and a panel shows densities."""


@dataclass(frozen=True)
class View:
    """The part of the accuracies a panel shows.

    Attributes:
        low: the lower limit.
        high: the upper limit.
        outside: how many networks lie beyond them.
    """

    low: float
    high: float
    outside: int


def scatter_data(scores: pd.DataFrame, truth: GroundTruth) -> pd.DataFrame:
    """Accuracy and scores side by side: one row for each architecture, one column for each proxy.

    Scores that are not finite or whose status is not ``ok`` are missing values here. The scores stand as the proxy
    gave them: where lower is better, a good proxy's points fall to the right.

    Args:
        scores: a long table with the columns ``architecture``, ``proxy``, ``status`` and ``value``.
        truth: the accuracies.

    Returns:
        A table indexed by architecture with the column ``accuracy`` first.

    Raises:
        DataError: if an architecture has two scores of one proxy, or if none has an accuracy.
    """
    valid = scores[(scores["status"] == "ok") & np.isfinite(scores["value"].astype(float))]
    twice = valid[valid.duplicated(["architecture", "proxy"])]
    if not twice.empty:
        first = twice.iloc[0]
        where = f"{first['proxy']} for '{first['architecture']}'"
        raise DataError(f"the scores hold two values of {where}; choose one seed before drawing them")
    wide = valid.pivot_table(index="architecture", columns="proxy", values="value", aggfunc="first")
    wide = wide.reindex(index=scores["architecture"].unique(), columns=scores["proxy"].unique())
    wide = wide.rename_axis(index="architecture", columns=None)
    wide.insert(0, "accuracy", truth.accuracy.reindex(wide.index))
    wide = wide[wide["accuracy"].notna()]
    if wide.empty:
        raise DataError(f"none of the scored architectures has an accuracy in {truth.benchmark} ({truth.describe()})")
    return wide


def accuracy_view(accuracy: Values) -> View:
    """Limits that a few failed networks cannot stretch.

    They are Tukey's far-out fences, three interquartile ranges beyond the quartiles, or the extremes where these are
    nearer.

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
    """Whether few scores stretch the axis so far that the rest would stand in one line.

    It is so where the middle nine tenths of the scores cover less than a quarter of the whole range.

    >>> is_heavy_tailed(np.linspace(0, 1, 100)), is_heavy_tailed(np.logspace(0, 60, 100))
    (False, True)
    """
    low, high = np.quantile(scores, [0.05, 0.95])
    return bool(high - low < 0.25 * (scores.max() - scores.min()))


def plot_scatter(
    data: pd.DataFrame,
    table: pd.DataFrame | None = None,
    labels: Labels | None = None,
    title: str | None = None,
    metric: str = "accuracy",
    *,
    columns: int = 5,
) -> Figure:
    """Draw a panel of score against accuracy for each proxy.

    Heavy-tailed scores are drawn by their rank, and say so. Networks outside the view are drawn at its edge and
    counted below the panels.

    Args:
        data: as :func:`scatter_data` gives it.
        table: the correlation table; its set ``all`` gives the order of the panels and the coefficients in them.
        labels: display names of proxies.
        title: the title of the figure; none where None.
        metric: what the vertical axis shows.
        columns: panels in a row.

    Returns:
        A figure of two paper columns, to be restyled or saved.
    """
    from matplotlib.figure import Figure

    proxies, coefficients = _panels(data, table)
    columns = max(1, min(columns, len(proxies)))
    panel_rows = max(1, math.ceil(len(proxies) / columns))
    view = accuracy_view(data["accuracy"].to_numpy(dtype=float))
    with paper_style():
        figure = Figure(figsize=(min(TWO_COLUMNS, columns * ONE_COLUMN), 0.5 + 1.38 * panel_rows), layout="constrained")
        axes = figure.subplots(panel_rows, columns, sharey=True, squeeze=False)
        for ax, proxy in zip(axes.flat, proxies, strict=False):
            panel = data[["accuracy", proxy]].dropna()
            _draw_panel(ax, panel[proxy].to_numpy(dtype=float), panel["accuracy"].to_numpy(dtype=float), view)
            ax.set_title(label_of(proxy, labels), pad=3)
            if proxy in coefficients and not panel.empty:
                _write_coefficients(ax, *coefficients[proxy])
        for ax in axes.flat[len(proxies) :]:
            ax.set_visible(False)
        figure.supylabel(textwrap.fill(metric, 26 * panel_rows), fontsize="medium", multialignment="center")
        note = _note(view, len(data))
        if note:
            figure.supxlabel(note, fontsize="small", color=VERMILLION)
        if title is not None:
            figure.suptitle(title, fontsize="large")
    return figure


def _panels(data: pd.DataFrame, table: pd.DataFrame | None) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """The proxies in the order of the panels, and (τ, ρ) of each that has them."""
    present = [name for name in data.columns if name != "accuracy"]
    if table is None:
        return present, {}
    rows = set_rows(table, main_set(table)).to_dict("records")
    coefficients = {row["proxy"]: (row["kendall"], row["spearman"]) for row in rows if row["proxy"] in present}
    return [*coefficients, *(name for name in present if name not in coefficients)], coefficients


def _draw_panel(ax: Axes, scores: Values, accuracy: Values, view: View) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import MaxNLocator

    ax.set_ylim(view.low, view.high)
    ax.tick_params(labelsize="x-small", pad=1.5)
    if len(scores) == 0:
        ax.text(0.5, 0.5, "no score", transform=ax.transAxes, ha="center", va="center", color=GREY)
        ax.set_xticks([])
        return
    by_rank = is_heavy_tailed(scores)
    x = _ranks(scores) if by_rank else scores
    ax.set_xlabel("rank of score" if by_rank else "score", fontsize="x-small", labelpad=1)
    inside = (accuracy >= view.low) & (accuracy <= view.high)
    if len(scores) > MANY_POINTS:
        # Below one, so that a single network is still seen on white.
        norm = LogNorm(vmin=0.2)
        ax.hexbin(x[inside], accuracy[inside], gridsize=28, mincnt=1, cmap="Blues", norm=norm, linewidths=0.1)
    else:
        ax.scatter(x[inside], accuracy[inside], s=2.5, color=BLUE, alpha=0.35, linewidths=0, rasterized=True)
    edge = np.clip(accuracy[~inside], view.low, view.high)
    ax.scatter(
        x[~inside], edge, s=5, marker="v", color=VERMILLION, alpha=0.6, linewidths=0, clip_on=False, rasterized=True
    )
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 4), useMathText=True)
    ax.xaxis.get_offset_text().set_fontsize("xx-small")


def _ranks(scores: Values) -> Values:
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores), dtype=float)


def _write_coefficients(ax: Axes, kendall: float, spearman: float) -> None:
    text = f"τ {coefficient(kendall)}\nρ {coefficient(spearman)}".replace("-", "−")
    # Accuracies crowd at the top, so the lower corners are the empty ones: the right one where scores rank well.
    right = not kendall < 0
    ax.text(
        0.97 if right else 0.04,
        0.04,
        text,
        transform=ax.transAxes,
        ha="right" if right else "left",
        va="bottom",
        fontsize="small",
        linespacing=1.05,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
    )


def _note(view: View, networks: int) -> str:
    if view.outside == 0:
        return ""
    part = f"{count(view.outside)} of {count(networks)} networks"
    return f"{part} lie outside the view and are drawn at its edge, as triangles."
