"""Read tables of scores that were computed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._utils.arguments import accepts
from harness._utils.arguments import path as path_of
from harness._utils.names import listed
from harness.data.table_files import UNREADABLE
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

ARCHITECTURE_COLUMNS = ("architecture", "arch", "net_str")


@accepts(path=path_of)
def read_score_table(
    path: Path, rename: Mapping[str, str] | None = None, sentinel: float | None = None
) -> pd.DataFrame:
    """Read a table of scores from a CSV file, one row per architecture and one column per proxy.

    Args:
        path: a CSV file with the architectures in a column ``architecture``, ``arch`` or ``net_str``.
        rename: maps the table's names of proxies to the harness's.
        sentinel: a number that marks a score that could not be computed; it becomes NaN.

    Raises:
        DataError: if the file cannot be read, or lacks a column of architectures or a column to rename.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except UNREADABLE as error:
        raise DataError(f"the scores in {path} cannot be read ({error}); it must be a CSV file") from error
    index = next((column for column in ARCHITECTURE_COLUMNS if column in table), None)
    if index is None:
        raise DataError(f"{path} has no column of architectures; call it {' or '.join(ARCHITECTURE_COLUMNS)}")
    lacking = [name for name in rename or {} if name not in table]
    if lacking:
        raise DataError(f"{path} has no column '{lacking[0]}' to rename; it has {listed(table.columns)}")
    numbers = table.set_index(index).rename(columns=dict(rename or {})).select_dtypes("number")
    return numbers if sentinel is None else numbers.replace(sentinel, np.nan)
