"""The figure of a reproduction: our coefficients against published ones."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, BLUE, GREY, VERMILLION, paper_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = ["part", "proxy", "coefficient", "published", "ours", "low", "high", "outside", "doubt", "source"]
AXES = {"kendall": "Kendall τ", "spearman": "Spearman ρ"}


def beside_data(rows: pd.DataFrame) -> pd.DataFrame:
    """The points of the figure: the published values that we can compare, for the more frequent coefficient."""
    both = rows.dropna(subset=["ours", "published"])
    if both.empty:
        return both[COLUMNS]
    chosen = both["coefficient"].value_counts(sort=True).sort_index(kind="stable").idxmax()
    return both.loc[both["coefficient"] == chosen, COLUMNS].reset_index(drop=True)


def plot_beside(data: pd.DataFrame, title: str, width: float) -> Figure:
    """Draw our value with its interval against the published value; on the diagonal they are equal.

    Args:
        data: the result of :func:`beside_data`.
        title: the title.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    doubted = data["doubt"] != ""
    outside = data["outside"].fillna(False).astype(bool)
    kinds = {
        "within our interval": (~outside & ~doubted, BLUE, "o", BLUE),
        "outside": (outside & ~doubted, VERMILLION, "v", VERMILLION),
        "published value doubted": (doubted, GREY, "s", "white"),
    }
    reach = float(data[["published", "ours"]].min().min()) - 0.05, float(data[["published", "ours"]].max().max()) + 0.05
    with paper_style():
        figure = Figure(figsize=(width, width), layout="constrained")
        ax = figure.subplots()
        ax.plot(reach, reach, color=BLACK, linewidth=0.6, zorder=0)
        for name, (chosen, colour, marker, face) in kinds.items():
            points = data[chosen]
            if len(points):
                errors = [points["ours"] - points["low"], points["high"] - points["ours"]]
                ax.errorbar(
                    points["published"], points["ours"], yerr=errors, fmt=marker, color=colour, label=name,
                    markerfacecolor=face, markersize=3.5, linewidth=0.6,
                )  # fmt: skip
        symbol = AXES[data["coefficient"].iloc[0]]
        ax.set_xlabel(f"{symbol}, published")
        ax.set_ylabel(f"{symbol}, ours with 95 % interval")
        ax.set_title(title)
        ax.legend(frameon=False)
    return figure


def beside_drawing(rows: pd.DataFrame, title: str) -> Drawing:
    """The figure with the paper's title, from the rows of :func:`harness.reproduction.comparison.compare_part`."""
    data = beside_data(rows)
    caption = "Published coefficients and ours with 95 % intervals; on the diagonal they are equal."
    return Drawing("beside_published", caption, data, lambda width: plot_beside(data, textwrap.fill(title, 44), width))
