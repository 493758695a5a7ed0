"""Where the published tables are: in the installed package, or in the checkout that it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.names import unknown_name
from harness.analysis.published import read_published
from harness.data.table_files import UNREADABLE
from harness.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "published", PACKAGE.parent / "results" / "published")
"""The wheel carries ``results/published`` as ``harness/published``; a checkout has it where it is."""

SEARCH_COLUMNS = (
    "source", "benchmark", "dataset", "proxy", "networks", "truth", "accuracy", "deviation", "searches",
)  # fmt: skip


def published_names() -> list[str]:
    """The names of the tables: their paths within the folder, without the suffix."""
    folder = _folder()
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.csv"))


def published_path(name: str, beside: Path | None = None) -> Path:
    """The file of a published table.

    Args:
        name: one of :func:`published_names`, or the path of a CSV file, relative to the file that names it.
        beside: the file that names it.

    Raises:
        UnknownNameError: if there is no table of that name; the message suggests near names.
        DataError: if there is no folder of tables at all.
    """
    if name.endswith(".csv"):
        return (beside.parent if beside else Path()) / name
    if name not in published_names():
        raise UnknownNameError(unknown_name("published table", name, published_names()))
    return _folder() / f"{name}.csv"


def published_coefficients(name: str, beside: Path | None = None) -> pd.DataFrame:
    """A table of published coefficients by its name; see :func:`harness.analysis.published.read_published`."""
    return read_published(published_path(name, beside))


def published_searches(name: str, beside: Path | None = None) -> pd.DataFrame:
    """A table of published results of searches: accuracies of what was chosen, not coefficients.

    Columns: source, benchmark, dataset, proxy, networks (drawn in one search), truth (as ``SPLIT/EPOCHS``), accuracy
    (mean over searches), deviation (standard deviation over searches), searches (how many), and others such as a note.

    Raises:
        DataError: if the file is missing, lacks a column, or holds a search of no networks.
    """
    import pandas as pd

    path = published_path(name, beside)
    try:
        table = pd.read_csv(path)
    except UNREADABLE as error:
        raise DataError(f"the published table {path} cannot be read ({error}); give a CSV") from error
    missing = [column for column in SEARCH_COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path} lacks the column '{missing[0]}'; it needs {', '.join(SEARCH_COLUMNS)}")
    if not ((table["networks"] >= 1) & (table["searches"] >= 1) & (table["deviation"] >= 0)).all():
        raise DataError(f"{path} holds a search of no networks, no searches, or a deviation below 0")
    return table


def _folder() -> Path:
    for place in PLACES:
        if place.is_dir():
            return place
    raise DataError(f"the published tables are in none of {', '.join(map(str, PLACES))}; reinstall the package")
