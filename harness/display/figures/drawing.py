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


class Panels(list["Axes"]):
    """The axes of a figure, one per panel, for further styling; a notebook shows the figure."""

    @classmethod
    def of(cls, figure: Figure) -> Panels:
        """The panels of a figure, without its colour bars."""
        return cls(axes for axes in figure.axes if axes.get_visible() and axes.get_label() != "<colorbar>")

    @property
    def figure(self) -> Figure:
        """The figure, for ``figure.savefig``."""
        return figure_of(self[0])

    def _repr_png_(self) -> bytes:
        from harness.display.figures.saving import figure_bytes

        return figure_bytes(self.figure, "png")


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

    def __repr__(self) -> str:
        """Its caption."""
        return f"<figure {self.name}: {self.caption}>"

    def _repr_png_(self) -> bytes:
        return self.plot()._repr_png_()

    def plot(self, width: float | None = None) -> Panels:
        """Draw it, and return its axes.

        Args:
            width: the width in inches; default: one or two columns of a paper, see ``wide``.
        """
        return Panels.of(self.draw(self._inches(width)))

    def _inches(self, width: float | None) -> float:
        from harness.display.figures.style import ONE_COLUMN, TWO_COLUMNS

        return width or (TWO_COLUMNS if self.wide else ONE_COLUMN)

    def write(self, directory: Path, width: float | None = None) -> list[Path]:
        """Write it as PDF and PNG, and its numbers as CSV; returns the files.

        Args:
            directory: the output directory.
            width: the width in inches; default: one or two columns of a paper, see ``wide``.
        """
        from harness.display.figures.saving import save_figure

        inches = self._inches(width)
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
