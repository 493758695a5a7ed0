"""The tables as files: CSV for machines, Markdown for people, LaTeX for papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, path
from harness._utils.visible import write_page
from harness.display.tables.heading import Heading
from harness.display.tables.latex import latex_tables
from harness.display.tables.markdown import markdown_tables
from harness.display.tables.rows import Labels

if TYPE_CHECKING:
    import pandas as pd


@accepts(directory=path)
def write_tables(
    directory: Path,
    table: pd.DataFrame,
    costs: pd.DataFrame | None,
    heading: Heading,
    labels: Labels | None = None,
    *,
    subset: str | None = None,
) -> list[Path]:
    """Write the tables of a run.

    ``correlations.csv`` and ``costs.csv`` hold every set and every digit, under the proxies' own names;
    ``correlations.md`` and ``correlations.tex`` hold rounded numbers under the heading.

    Args:
        directory: where; made if it does not exist.
        table: rows of :func:`harness.analysis.correlation_table`.
        costs: rows of :func:`harness.analysis.cost_table`, or None.
        heading: the facts printed with every table.
        labels: display names of proxies.
        subset: the set that the main table shows; ``all`` where nothing else is said.

    Returns:
        The files written.

    Raises:
        UnknownNameError: if the table has no such set.
    """
    texts = {
        "correlations.csv": table.to_csv(index=False),
        "correlations.md": markdown_tables(table, costs, heading, labels, subset),
        "correlations.tex": latex_tables(table, heading, labels, subset),
    }
    if costs is not None:
        texts["costs.csv"] = costs.to_csv(index=False)
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in texts.items():
        path = directory / name
        write_page(path, text)
        paths.append(path)
    return paths
