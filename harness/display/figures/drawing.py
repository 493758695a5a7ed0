"""A figure that is not drawn yet, and the files that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.visible import csv_text, write_page

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A figure that is not drawn yet, and its numbers.

    Attributes:
        name: the stem of its files.
        caption: what it shows, in one or two sentences.
        data: the numbers as written to CSV, one row per mark.
        draw: draws the figure with a width in inches.
        pages: draws it in parts that each fit a page of a paper, for a figure that may be too large for one page.
        wide: whether its default width is two columns of a paper instead of one.
    """

    name: str
    caption: str
    data: pd.DataFrame = field(repr=False)
    draw: Callable[[float], Figure]
    pages: Callable[[float], Sequence[Figure]] | None = None
    wide: bool = False

    def write(self, directory: Path, width: float | None = None) -> list[Path]:
        """Write it as PDF and PNG, and its numbers as CSV; returns the files.

        Args:
            directory: the output directory.
            width: the width in inches; default: one or two columns of a paper, see ``wide``.
        """
        from harness.display.figures.saving import save_figure
        from harness.display.figures.style import ONE_COLUMN, TWO_COLUMNS

        inches = width or (TWO_COLUMNS if self.wide else ONE_COLUMN)
        pages = self.pages(inches) if self.pages else ()
        stem = directory / self.name
        files = save_figure(pages[0] if len(pages) == 1 else self.draw(inches), stem, pages)
        numbers = stem.with_name(f"{self.name}.csv")
        write_page(numbers, csv_text(self.data))
        return [*files, numbers]


def figure_of(axes: Axes) -> Figure:
    """The figure of some axes."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure
