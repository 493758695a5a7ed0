"""What a reader sees: tables in the terminal and in files, figures, each under the facts its numbers rest on.

The names below are loaded at first use, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from harness.reporting.style import ignore_missing_backend

if TYPE_CHECKING:
    from harness.reporting.across import plot_heat_map
    from harness.reporting.bars import bar_data, plot_bars
    from harness.reporting.figures import write_figures
    from harness.reporting.files import write_tables
    from harness.reporting.heading import Heading
    from harness.reporting.scatter import plot_scatter, scatter_data
    from harness.reporting.terminal import print_tables

__all__ = [
    "Heading",
    "bar_data",
    "plot_bars",
    "plot_heat_map",
    "plot_scatter",
    "print_tables",
    "scatter_data",
    "write_figures",
    "write_tables",
]

_MODULES = {
    "Heading": "heading",
    "bar_data": "bars",
    "plot_bars": "bars",
    "plot_heat_map": "across",
    "plot_scatter": "scatter",
    "print_tables": "terminal",
    "scatter_data": "scatter",
    "write_figures": "figures",
    "write_tables": "files",
}


# Before any module of this package imports matplotlib.
ignore_missing_backend()


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
