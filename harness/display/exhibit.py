"""An exhibit: the tables and figures of one analysis, with the facts behind its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, number, optional, path, text, yes_or_no
from harness._utils.names import unknown_name
from harness._utils.visible import csv_text, write_page
from harness.display.figures.drawing import Drawing, Panels
from harness.display.tables.grids import Grid
from harness.display.tables.heading import AnyHeading
from harness.errors import HarnessError, UnknownNameError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Listing:
    """Sentences that a table refers to, each with its mark.

    Attributes:
        title: the title above them.
        entries: pairs of mark and sentence.
        terminal: whether they are shown in the terminal.
    """

    title: str
    entries: tuple[tuple[str, str], ...]
    terminal: bool = True


@dataclass(frozen=True)
class Exhibit:
    """The tables and figures of one analysis.

    Attributes:
        name: its command, and the stem of its files.
        title: one line.
        heading: what was ranked against what, in one run or in several.
        grids: its tables.
        drawings: its figures.
        notes: sentences that apply to all of them.
        listings: sentences that the tables refer to.
        terminal: narrower tables for the terminal, if the normal ones are too wide.
        paper: other tables for LaTeX, if a paper needs them.
    """

    name: str
    title: str
    heading: AnyHeading
    grids: tuple[Grid, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    terminal: tuple[Grid, ...] = ()
    paper: tuple[Grid, ...] = ()

    def __repr__(self) -> str:
        """Its title, tables and figures."""
        held = [grid.name for grid in self.grids], [drawing.name for drawing in self.drawings]
        tables, figures = (", ".join(names) or "none" for names in held)
        return f"<exhibit {self.name}: {self.title}; tables: {tables}; figures: {figures}>"

    def _repr_html_(self) -> str:
        """Its tables and notes, for a notebook."""
        from harness.display.tables.notebook import html_heading, html_list, html_note, html_table

        parts = [html_heading(self.title, self.heading), *map(html_table, self.grids), *map(html_note, self.notes)]
        return "".join([*parts, *(html_list(listing.title, listing.entries) for listing in self.listings)])

    @accepts(name=optional(text), width=optional(number))
    def plot(self, name: str | None = None, *, width: float | None = None) -> Panels:
        """Draw a figure, and return its axes, for further styling; a notebook shows it.

        Args:
            name: the name of one of ``drawings``; default: the first.
            width: the width in inches; default: one or two columns of a paper.

        Raises:
            UnknownNameError: if it has no such figure.
            HarnessError: if it has none.
        """
        if not self.drawings:
            raise HarnessError(f"the exhibit {self.name} has no figures")
        known = {drawing.name: drawing for drawing in self.drawings}
        if name is not None and name not in known:
            raise UnknownNameError(unknown_name("figure", name, known))
        return (self.drawings[0] if name is None else known[name]).plot(width)

    def show(self, console: Console | None = None, *, title: bool = True) -> None:
        """Print the tables under the heading.

        Args:
            console: where to print; default: the terminal.
            title: also print the title.
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
        for listing in self.listings:
            if listing.terminal:
                print_list(console, listing.title, listing.entries)

    @accepts(directory=path, figures=yes_or_no, width=optional(number))
    def write(self, directory: Path | str, *, width: float | None = None, figures: bool = True) -> list[Path]:
        """Write everything; returns the files.

        Each table as ``NAME.csv`` with full precision, all tables as ``EXHIBIT.md`` and ``EXHIBIT.tex``, and each
        figure as PDF and PNG with its numbers as CSV.

        Args:
            directory: the output directory; created if it does not exist.
            width: the width of the figures in inches; default: one column of a paper.
            figures: also draw the figures.
        """
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        texts = {f"{self.name}.md": self.markdown(), f"{self.name}.tex": self.latex()}
        texts |= {f"{grid.name}.csv": csv_text(grid.data) for grid in self.grids if grid.data is not None}
        paths = [path for drawing in self.drawings if figures for path in drawing.write(target, width)]
        for name, page in texts.items():
            write_page(target / name, page)
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

        facts = self.heading.lines()
        tables = [latex_grid(grid, facts, self.notes) for grid in self.paper or self.grids if grid.columns]
        return latex_page([*tables, *(latex_list(listing.title, listing.entries) for listing in self.listings)])
