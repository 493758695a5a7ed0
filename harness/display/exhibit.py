"""An exhibit: the tables and figures of one analysis under the facts that its numbers rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, number, optional, path, yes_or_no
from harness._utils.visible import visible, write_page
from harness.display.tables.grids import Grid, latex_grid, markdown_grid, print_grid
from harness.display.tables.heading import Heading, Headings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console


@dataclass(frozen=True)
class Drawing:
    """A figure, not yet drawn, and the numbers in it.

    Attributes:
        name: the stem of its files.
        caption: what it shows, in a sentence or two.
        data: the numbers, as they are written to CSV; one row for each mark.
        draw: makes the figure for a width in inches.
        pages: makes the same in parts, each of which fits a page of a paper; for a figure that one page may not hold.
    """

    name: str
    caption: str
    data: pd.DataFrame = field(repr=False)
    draw: Callable[[float], Figure]
    pages: Callable[[float], Sequence[Figure]] | None = None


@dataclass(frozen=True)
class Exhibit:
    """What one analysis shows.

    Attributes:
        name: its command, and the stem of its page.
        title: one line.
        heading: what was ranked against what, in one run or in several.
        grids: its tables.
        drawings: its figures.
        notes: sentences that hold for all of them.
    """

    name: str
    title: str
    heading: Heading | Headings
    grids: tuple[Grid, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Its title and what it holds."""
        held = [grid.name for grid in self.grids], [drawing.name for drawing in self.drawings]
        tables, figures = (", ".join(names) or "none" for names in held)
        return f"<exhibit {self.name}: {self.title}; tables: {tables}; figures: {figures}>"

    def _repr_html_(self) -> str:
        """Its tables, for a notebook."""
        from harness.display.tables.notebook import html_heading, html_table

        tables = [html_table(grid.title, grid.columns, grid.notes) for grid in self.grids]
        return "".join([html_heading(self.title, self.heading), *tables])

    def show(self, console: Console | None = None) -> None:
        """Print the tables under the heading."""
        from rich.text import Text

        from harness._utils.console import output
        from harness.display.tables.terminal import print_heading

        console = output(console)
        console.print(Text(self.title, style="bold"))
        print_heading(console, self.heading)
        for grid in self.grids:
            console.print(Text(grid.title, style="bold"))
            print_grid(console, grid)
            for note in grid.notes:
                console.print(Text(note, style="dim"))
            console.print()
        for note in self.notes:
            console.print(Text(note, style="dim"))

    @accepts(directory=path, figures=yes_or_no, width=optional(number))
    def write(self, directory: Path | str, *, width: float | None = None, figures: bool = True) -> list[Path]:
        """Write everything; returns the files.

        Each table as ``NAME.csv`` with every digit and together as ``EXHIBIT.md`` and ``EXHIBIT.tex``; each figure as
        PDF and PNG with its numbers as CSV.

        Args:
            directory: where; made if it does not exist.
            width: of the figures in inches; one column of a paper unless given.
            figures: draw them too.
        """
        from harness.display.figures.saving import save_figure
        from harness.display.figures.style import ONE_COLUMN

        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        texts = {f"{self.name}.md": self.markdown(), f"{self.name}.tex": self.latex()}
        texts |= {f"{grid.name}.csv": grid.data.to_csv(index=False) for grid in self.grids}
        paths = []
        if figures:
            texts |= {f"{drawing.name}.csv": drawing.data.to_csv(index=False) for drawing in self.drawings}
            for drawing in self.drawings:
                inches = width or ONE_COLUMN
                pages = drawing.pages(inches) if drawing.pages else ()
                paths += save_figure(drawing.draw(inches), target / drawing.name, pages=pages)
        for name, text in texts.items():
            write_page(target / name, text)
        return sorted([*paths, *(target / name for name in texts)])

    def markdown(self) -> str:
        """Title, heading, tables and notes as Markdown."""
        blocks = [f"# {self.title}", "\n".join(f"- {visible(line)}" for line in self.heading.lines())]
        blocks += [markdown_grid(grid).rstrip("\n") for grid in self.grids]
        return "\n\n".join([*blocks, *self.notes]) + "\n"

    def latex(self) -> str:
        r"""The tables as floats for ``\input``."""
        facts = " ".join(f"{line.rstrip('.')}." for line in self.heading.lines())
        return "\n".join(["% needs \\usepackage{booktabs}", *(latex_grid(grid, facts) for grid in self.grids)])
