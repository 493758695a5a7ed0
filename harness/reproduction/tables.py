"""Find published tables: in the installed package, or in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.names import unknown_name
from harness.analysis.published import read_published
from harness.data.table_files import read_frame
from harness.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "published", PACKAGE.parent / "results" / "published")
"""The wheel contains ``results/published`` as ``harness/published``."""

SEARCH_COLUMNS = (
    "source", "benchmark", "dataset", "proxy", "networks", "truth", "accuracy", "deviation", "searches",
)  # fmt: skip


def published_names() -> list[str]:
    """The names of the tables: their paths within the directory, without the suffix."""
    folder = _folder()
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.csv"))


def published_path(name: str, beside: Path | None = None) -> Path:
    """The file of a published table.

    Args:
        name: one of :func:`published_names`, or the path of a CSV file, relative to the file that names it.
        beside: the file that names it, such as a protocol.

    Raises:
        UnknownNameError: if there is no table with this name; the message suggests similar names.
        DataError: if the directory of tables is missing.
    """
    if name.endswith(".csv"):
        return (beside.parent if beside else Path()) / name
    if name not in published_names():
        raise UnknownNameError(unknown_name("published table", name, published_names()))
    return _folder() / f"{name}.csv"


def published_coefficients(name: str, beside: Path | None = None) -> pd.DataFrame:
    """The table of published coefficients with this name; see :func:`harness.analysis.published.read_published`."""
    return read_published(published_path(name, beside))


def published_searches(name: str, beside: Path | None = None) -> pd.DataFrame:
    """A table of published search results: accuracies of chosen networks, not coefficients.

    Columns: source, benchmark, dataset, proxy, networks (drawn in one search), truth (as ``SPLIT/EPOCHS``), accuracy
    (mean over searches), deviation (standard deviation over searches), searches (number of searches), and others such
    as a note.

    Raises:
        DataError: if the file is missing, lacks a column, or has an impossible number of networks or searches.
    """
    path = published_path(name, beside)
    table = read_frame(path, str(path), wanted="a table of published searches")
    missing = [column for column in SEARCH_COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path} lacks the column '{missing[0]}'; it needs {', '.join(SEARCH_COLUMNS)}")
    if not ((table["networks"] >= 1) & (table["searches"] >= 1) & (table["deviation"] >= 0)).all():
        raise DataError(f"{path} has a row with fewer than 1 network or search, or with a deviation below 0")
    return table


def _folder() -> Path:
    for place in PLACES:
        if place.is_dir():
            return place
    raise DataError(f"the published tables are in none of {', '.join(map(str, PLACES))}; reinstall the package")
