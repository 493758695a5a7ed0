"""Tables of numbers for cells of NATS-TSS that others published, in whatever way they write a cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.columns import column_key
from harness.data.dialects import official
from harness.data.table_files import header_of, read_frame
from harness_benchmarks.nb201 import dialects, topology

if TYPE_CHECKING:
    import pandas as pd

DIALECTS = (dialects.SPACED, dialects.OP_INDICES, dialects.INDEX)
"""How others write a cell."""


class PublishedColumnsReader:
    """Reads a CSV table with columns under their published names.

    Args:
        columns: our name of each published column.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = {column_key(published): ours for published, ours in columns.items()}

    def accepts(self, source: Path) -> bool:
        """Whether the first line names such a column."""
        return any(column_key(column) in self._columns for column in header_of(source))

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """The table with our names of columns, indexed by the official strings.

        Raises:
            DataError: if it cannot be read, or does not name the cells.
        """
        frame = official(read_frame(source), DIALECTS, topology.enumerate_architectures, source.name, [])
        return frame.rename(columns=lambda column: self._columns.get(column_key(column), column))
