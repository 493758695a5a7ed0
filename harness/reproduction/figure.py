"""The figure of a reproduction: published coefficients against ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.visible import write_page
from harness.display.figures.saving import save_figure
from harness.display.figures.style import BLACK, BLUE, GREY, ONE_COLUMN, VERMILLION, paper_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ["part", "proxy", "coefficient", "published", "ours", "low", "high", "outside", "doubt", "source"]
AXES = {"kendall": "Kendall τ", "spearman": "Spearman ρ"}


def beside_data(rows: pd.DataFrame) -> pd.DataFrame:
    """The points of the figure: every published coefficient that meets one of ours, of the one that most have."""
    both = rows.dropna(subset=["ours", "published"])
    if both.empty:
        return both[COLUMNS]
    chosen = both["coefficient"].value_counts(sort=True).sort_index(kind="stable").idxmax()
    return both.loc[both["coefficient"] == chosen, COLUMNS].reset_index(drop=True)


def plot_beside(data: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw ours with its interval over the published value; on the diagonal they are equal.

    Args:
        data: as :func:`beside_data` gives it.
        ax: where to draw; a figure of one paper column is made where there is none.
        title: the title; none where None.
    """
    if ax is None:
        from matplotlib.figure import Figure

        with paper_style():
            figure = Figure(figsize=(ONE_COLUMN, ONE_COLUMN), layout="constrained")
            ax = figure.subplots()
    doubted = data["doubt"] != ""
    outside = data["outside"].fillna(False).astype(bool)
    kinds = {
        "within our interval": (~outside & ~doubted, BLUE, "o", BLUE),
        "outside": (outside & ~doubted, VERMILLION, "v", VERMILLION),
        "published value doubted": (doubted, GREY, "s", "white"),
    }
    reach = float(data[["published", "ours"]].min().min()) - 0.05, float(data[["published", "ours"]].max().max()) + 0.05
    with paper_style():
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
        ax.set_title(title or "")
        ax.legend(frameon=False)
    return ax


def write_beside(directory: Path, rows: pd.DataFrame, title: str) -> list[Path]:
    """Write the figure as PDF and PNG with its data as CSV; returns the files."""
    import textwrap

    data = beside_data(rows)
    figure = plot_beside(data, title=textwrap.fill(title, 44)).get_figure(root=True)
    assert figure is not None
    stem = directory / "beside_published"
    files = save_figure(figure, stem)
    write_page(stem.with_suffix(".csv"), data.to_csv(index=False))
    return [*files, stem.with_suffix(".csv")]
