"""Importing ground truth: from a file that the user has to the local table of a benchmark, checked on the way.

A benchmark whose accuracies cannot be shipped declares by a :class:`TableFormat` what its table must hold. Here it is
read from CSV, Parquet, or whatever else the format knows to read, compared with what is declared, and stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, path, yes_or_no
from harness._utils.names import listed
from harness.contracts.benchmark import Benchmark
from harness.data.checks import checked_table
from harness.data.columns import with_known_names
from harness.data.device_costs import CostTable
from harness.data.formats import Importable, TableFormat
from harness.data.local_tables import TableMetadata, write_table
from harness.data.plausibility import as_accuracies
from harness.data.table_files import read_table_file, sha256_of
from harness.errors import DataError, HarnessError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ImportSummary:
    """What an import found.

    Attributes:
        benchmark: the benchmark's name.
        source: what was imported, in words.
        architectures: how many were imported, and how many the benchmark has.
        best: for each column of ground truth the best value and the architecture that reached it.
        ignored: columns of the file that are not of this benchmark's table.
        sha256: of the imported file.
        path: where the table lies now.
        kind: what the table holds.
    """

    benchmark: str
    source: str
    architectures: tuple[int, int]
    best: dict[str, tuple[float, str]]
    sha256: str
    path: Path
    ignored: tuple[str, ...] = field(default=())
    kind: str = "ground truth"

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        found, expected = self.architectures
        lines = [
            f"imported the {self.kind} of {self.benchmark} from {self.source}",
            f"sha256 {self.sha256}",
            f"architectures: {found:,} of {expected:,}",
        ]
        lines += [f"best {split}: {listed(values)}" for split, values in self._best_by_split().items()]
        if self.ignored:
            lines.append(f"columns not used: {listed(self.ignored)}")
        return [*lines, f"stored as {self.path}"]

    def _best_by_split(self) -> dict[str, list[str]]:
        """The best values of all data sets by what they were measured on; those of costs together."""
        by_split: dict[str, list[str]] = {}
        for column, (value, _) in self.best.items():
            dataset, _, split = column.partition("/")
            by_split.setdefault(split or "values", []).append(f"{dataset} {value:.3f}")
        return by_split


@accepts(file=path, trust_pickle=yes_or_no, allow_partial=yes_or_no)
def import_table(
    benchmark: Benchmark | CostTable,
    file: str | Path,
    *,
    trust_pickle: bool = False,
    allow_partial: bool = False,
    errors: bool = False,
) -> ImportSummary:
    """Read a file of ground truth or costs, check it against the benchmark, and store it as a local table.

    Args:
        benchmark: the benchmark, or one of its tables of costs.
        file: a CSV (perhaps gzipped) or Parquet table with the architectures in a column ``arch`` or ``architecture``,
            or an archive that the benchmark's format can read.
        trust_pickle: whether an archive's pickles may be loaded though they hold more than plain data, which lets
            them run any code.
        allow_partial: whether architectures may be missing.
        errors: whether the columns of percent are error rates, which become accuracies, 100 - x.

    Raises:
        HarnessError: if the benchmark brings its ground truth along.
        DataError: if the file is missing, damaged, or not the ground truth of this benchmark; the former table stays.
    """
    if not isinstance(benchmark, Importable):
        raise HarnessError(f"{benchmark.name} brings its ground truth along: there is nothing to import")
    table_format, source = benchmark.table_format(), Path(file)
    if not source.exists():
        raise DataError(f"there is no file or folder '{source}'; wanted: {table_format.obtain}")
    reader = next((reader for reader in table_format.readers if reader.accepts(source)), None)
    if reader is None:
        frame, words = read_table_file(source, wanted=table_format.obtain), source.name
    else:
        frame, words = reader.read(source, trust_pickle), reader.describe(source)
    frame = with_known_names(frame, table_format.columns(), source.name)
    if errors:
        frame = as_accuracies(frame, table_format, source.name)
        words += " (error rates, turned into accuracies)"
    table, size = checked_table(frame, table_format, source.name, allow_partial, errors)
    if len(table) < size:
        words += partial_note(len(table), size)
    sha256 = sha256_of(source)
    columns = {name: _meaning(name, table_format) for name in table.columns}
    path = write_table(table, TableMetadata(benchmark.name, words, sha256, table_format.seeds, columns))
    return ImportSummary(
        benchmark=benchmark.name,
        source=words,
        architectures=(len(table), size),
        best=_best(table, table_format),
        sha256=sha256,
        path=path,
        ignored=tuple(name for name in frame.columns if name not in table.columns),
        kind=table_format.kind,
    )


def partial_note(found: int, size: int) -> str:
    """What is added to the source of a table that lacks architectures."""
    return f" (only {found:,} of {size:,} architectures)"


def _meaning(column: str, table_format: TableFormat) -> str:
    described = {} if table_format.listing is None else table_format.listing.columns
    if column in table_format.truths:
        return table_format.truths[column].description
    return described.get(column, "parameters of the network")


def _best(table: pd.DataFrame, table_format: TableFormat) -> dict[str, tuple[float, str]]:
    best: dict[str, tuple[float, str]] = {}
    for column in table.columns.intersection(list(table_format.truths)):
        values = table[column].to_numpy()
        winner = int(values.argmax() if table_format.truths[column].higher_is_better else values.argmin())
        best[column] = (float(values[winner]), str(table.index[winner]))
    return best
