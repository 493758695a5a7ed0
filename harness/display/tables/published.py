"""Our coefficients beside a paper's, in the terminal and as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.console import output
from harness._utils.visible import visible, write_page
from harness.analysis.published import digits
from harness.display.tables.markdown import escape
from harness.display.tables.numbers import count, estimate, printed, signed

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.display.tables.rows import Labels

HEADER = ("Proxy", "", "Published", "Ours [95 %]", "Difference")
SYMBOLS = {"kendall": "τ", "spearman": "ρ"}


def _rows(beside: pd.DataFrame, labels: Labels | None) -> list[tuple[str, ...]]:
    names, decimals = labels or {}, digits(beside["published"])
    return [
        (
            names.get(row["proxy"], row["proxy"]),
            SYMBOLS[row["coefficient"]],
            printed(row["published"], decimals),
            estimate(row["ours"], row["low"], row["high"]),
            signed(row["difference"]) + (" *" if row["outside"] else ""),
        )
        for row in beside.to_dict("records")
    ]


def _note(beside: pd.DataFrame) -> str:
    sources = "; ".join(
        f"{s} ({count(n)} architectures)" for s, n in beside.groupby("source")["architectures"].max().items()
    )
    return f"Published: {sources}. *: the published value, as rounded, lies outside our interval."


def print_beside(console: Console, beside: pd.DataFrame, labels: Labels | None = None) -> None:
    """Print the rows of :func:`harness.analysis.published.beside_published`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Beside the published table", title_justify="left", box=box.HORIZONTALS)
    for name in HEADER:
        table.add_column(name, justify="left" if name in ("Proxy", "") else "right", no_wrap=True)
    for row in _rows(beside, labels):
        table.add_row(*map(Text, row))
    console = output(console)
    console.print(table)
    console.print(Text(_note(beside)))


def write_beside(directory: Path, beside: pd.DataFrame, labels: Labels | None = None) -> list[Path]:
    """Write them as ``published.csv``, with every digit, and ``published.md``; returns the files."""
    directory.mkdir(parents=True, exist_ok=True)
    full, page = directory / "published.csv", directory / "published.md"
    write_page(full, beside.to_csv(index=False, lineterminator="\n"))
    lines = [HEADER, ("---",) * len(HEADER), *((escape(row[0]), *row[1:]) for row in _rows(beside, labels))]
    table = ["| " + " | ".join(row) + " |" for row in lines]
    write_page(page, "\n".join([*table, "", visible(_note(beside)), ""]))
    return [full, page]
