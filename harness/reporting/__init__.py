"""Reports: tables in the terminal and in files, figures, and the page, each with the facts behind its numbers.

The names below are loaded at first use, so importing this package is fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from harness.display.figures.bars import bar_data, plot_bars
    from harness.display.figures.heatmap import plot_heat_map
    from harness.display.figures.scatter import plot_scatter, scatter_data
    from harness.display.figures.scatter_panel import accuracy_view, make_panel, plot_panel
    from harness.display.figures.style import paper_style
    from harness.display.tables.heading import Heading
    from harness.reporting.tables import print_tables, write_figures, write_tables

__all__ = [
    "Heading",
    "accuracy_view",
    "bar_data",
    "make_panel",
    "paper_style",
    "plot_bars",
    "plot_heat_map",
    "plot_panel",
    "plot_scatter",
    "print_tables",
    "scatter_data",
    "write_figures",
    "write_tables",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    "harness",
    submod_attrs={
        "display.figures.bars": ["bar_data", "plot_bars"],
        "display.figures.heatmap": ["plot_heat_map"],
        "display.figures.scatter": ["plot_scatter", "scatter_data"],
        "display.figures.scatter_panel": ["accuracy_view", "make_panel", "plot_panel"],
        "display.figures.style": ["paper_style"],
        "display.tables.heading": ["Heading"],
        "reporting.tables": ["print_tables", "write_figures", "write_tables"],
    },
)
