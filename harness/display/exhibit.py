"""An exhibit: the tables and figures of one analysis under the facts that its numbers rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, number, optional, path, yes_or_no
from harness._utils.visible import write_page
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Facts, Heading, Headings

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
        wide: whether it is as wide as two columns of a paper unless another width is asked for.
    """

    name: str
    caption: str
    data: pd.DataFrame = field(repr=False)
    draw: Callable[[float], Figure]
    pages: Callable[[float], Sequence[Figure]] | None = None
    wide: bool = False

    def write(self, directory: Path, width: float | None = None) -> list[Path]:
        """Write it as PDF and PNG with its numbers as CSV; returns the files.

        Args:
            directory: where.
            width: in inches; that of its columns of a paper unless given.
        """
        from harness.display.figures.saving import save_figure
        from harness.display.figures.style import ONE_COLUMN, TWO_COLUMNS

        inches = width or (TWO_COLUMNS if self.wide else ONE_COLUMN)
        pages = self.pages(inches) if self.pages else ()
        stem = directory / self.name
        files = save_figure(self.draw(inches), stem, pages=pages)
        numbers = stem.with_name(f"{self.name}.csv")
        write_page(numbers, self.data.to_csv(index=False))
        return [*files, numbers]


@dataclass(frozen=True)
class Listing:
    """Sentences that a table refers to, each behind its mark.

    Attributes:
        title: above them.
        entries: pairs of mark and sentence.
        terminal: whether a terminal shows them.
    """

    title: str
    entries: tuple[tuple[str, str], ...]
    terminal: bool = True


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
        listings: sentences that the tables refer to.
        terminal: what a terminal shows in place of the tables, where it has not their room.
        paper: what LaTeX shows in place of the tables, where a paper prints others.
    """

    name: str
    title: str
    heading: Heading | Headings | Facts
    grids: tuple[Grid, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    terminal: tuple[Grid, ...] = ()
    paper: tuple[Grid, ...] = ()

    def __repr__(self) -> str:
        """Its title and what it holds."""
        held = [grid.name for grid in self.grids], [drawing.name for drawing in self.drawings]
        tables, figures = (", ".join(names) or "none" for names in held)
        return f"<exhibit {self.name}: {self.title}; tables: {tables}; figures: {figures}>"

    def _repr_html_(self) -> str:
        """Its tables, for a notebook."""
        from harness.display.tables.notebook import html_heading, html_table

        return "".join([html_heading(self.title, self.heading), *map(html_table, self.grids)])

    def show(self, console: Console | None = None, *, title: bool = True) -> None:
        """Print the tables under the heading.

        Args:
            console: where; the terminal unless given.
            title: print the title above it too.
        """
        from rich.text import Text

        from harness._utils.console import output
        from harness.display.tables.terminal import print_grids, print_heading, print_lines, print_list

        console = output(console)
        if title:
            console.print(Text(self.title, style="bold"))
        print_heading(console, self.heading)
        print_grids(console, self.terminal or self.grids)
        if self.notes:
            console.print()
            print_lines(console, self.notes)
        for listing in filter(lambda listing: listing.terminal, self.listings):
            print_list(console, listing.title, listing.entries)

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
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        texts = {f"{self.name}.md": self.markdown(), f"{self.name}.tex": self.latex()}
        texts |= {f"{grid.name}.csv": grid.data.to_csv(index=False) for grid in self.grids if grid.data is not None}
        paths = [path for drawing in self.drawings if figures for path in drawing.write(target, width)]
        for name, text in texts.items():
            write_page(target / name, text)
        return sorted([*paths, *(target / name for name in texts)])

    def markdown(self) -> str:
        """Title, heading, tables and notes as Markdown."""
        from harness.display.tables.markdown import escape, markdown_grid, markdown_heading, markdown_list

        blocks = [f"# {escape(self.title)}", markdown_heading(self.heading)]
        blocks += [markdown_grid(grid).rstrip("\n") for grid in self.grids]
        blocks += map(escape, self.notes)
        for listing in self.listings:
            lines = (f"**{escape(mark)}** {escape(text)}" for mark, text in listing.entries)
            blocks += [f"## {escape(listing.title)}", markdown_list(lines)]
        return "\n\n".join(blocks) + "\n"

    def latex(self) -> str:
        r"""The tables as floats for ``\input``."""
        from harness.display.tables.latex import latex_grid, latex_list, latex_page

        facts = " ".join(f"{line.rstrip('.')}." for line in self.heading.lines())
        tables = [latex_grid(grid, facts) for grid in self.paper or self.grids if grid.columns]
        return latex_page([*tables, *(latex_list(listing.title, listing.entries) for listing in self.listings)])
