"""Import ground truth: check a user's file and store it as the local table of a benchmark.

If accuracies cannot be shipped, the benchmark declares the content of its table by a :class:`TableFormat`. An import
reads CSV, Parquet, or any archive that the format supports, compares it with the declaration, and stores it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, path, yes_or_no
from harness._utils.names import MOST_LISTED, listed
from harness.contracts.benchmark import Benchmark
from harness.data.checks import checked_table
from harness.data.columns import with_known_names
from harness.data.dialects import official
from harness.data.formats import Importable, TableFormat
from harness.data.further_tables import FurtherTable
from harness.data.local_tables import TableMetadata, write_table
from harness.data.plausibility import as_accuracies
from harness.data.table_files import read_frame, sha256_of
from harness.errors import DataError, HarnessError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ImportSummary:
    """The result of an import.

    Attributes:
        benchmark: the benchmark's name.
        source: a description of what was imported.
        architectures: the number of imported architectures, and the number that the benchmark has.
        best: for each ground-truth column, the best value and its architecture.
        ignored: columns of the file that are not part of the table.
        sha256: SHA-256 of the imported file.
        path: the path of the table.
        kind: what the table contains.
        notes: what was unusual about the file, in a few words each.
    """

    benchmark: str
    source: str
    architectures: tuple[int, int]
    best: dict[str, tuple[float, str]]
    sha256: str
    path: Path
    ignored: tuple[str, ...] = field(default=())
    kind: str = "ground truth"
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        found, expected = self.architectures
        # The best values of all data sets, by split; costs form one group.
        by_split: dict[str, list[str]] = {}
        for column, (value, _) in self.best.items():
            dataset, _, split = column.partition("/")
            by_split.setdefault(split or "values", []).append(f"{dataset} {value:.3f}")
        lines = [
            f"imported the {self.kind} of {self.benchmark} from {self.source}",
            f"sha256 {self.sha256}",
            f"architectures: {found:,} of {expected:,}",
        ]
        if len(by_split) > MOST_LISTED:
            lines.append(f"best {listed(f'{split} {values[0]}' for split, values in by_split.items())}")
        else:
            lines += [f"best {split}: {listed(values)}" for split, values in by_split.items()]
        if self.notes:
            lines.append(f"read as: {'; '.join(self.notes)}")
        if self.ignored:
            lines.append(f"unused columns: {listed(self.ignored)}")
        return [*lines, f"stored as {self.path}"]


@accepts(file=path, trust_pickle=yes_or_no, allow_partial=yes_or_no)
def import_table(
    benchmark: Benchmark | FurtherTable,
    file: str | Path,
    *,
    trust_pickle: bool = False,
    allow_partial: bool = False,
    errors: bool = False,
) -> ImportSummary:
    """Read a file of ground truth or costs, check it against the benchmark, and store it as a local table.

    Args:
        benchmark: the benchmark, or one of its further tables.
        file: a table as by :func:`harness.data.table_files.read_frame`, with its architectures in a column ``arch`` or
            ``architecture``, as official identifiers or in one of the benchmark's dialects; or an archive that the
            benchmark's format can read.
        trust_pickle: whether to load pickles that contain more than plain data. Such pickles can run any code.
        allow_partial: whether architectures may be missing.
        errors: whether percentage columns are error rates, to be converted to accuracies, 100 - x.

    Raises:
        HarnessError: if the benchmark includes its ground truth.
        DataError: if the file is missing, damaged, or not the ground truth of this benchmark; an existing table is
            kept.
    """
    if not isinstance(benchmark, Importable):
        raise HarnessError(f"{benchmark.name} includes its ground truth: nothing to import")
    table_format, source = benchmark.table_format(), Path(file)
    if not source.exists():
        raise DataError(f"no such file or directory: '{source}'; expected: {table_format.obtain}")
    notes: list[str] = []
    reader = next((reader for reader in table_format.readers if reader.accepts(source)), None)
    if reader is None:
        frame, words = read_frame(source, wanted=table_format.obtain, notes=notes), source.name
        known = table_format.architectures if table_format.listing is None else tuple
        frame = official(frame, table_format.dialects, known, source.name, notes)
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
    meanings = table_format.meanings()
    columns = {name: meanings.get(name, "parameters of the network") for name in table.columns}
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
        notes=tuple(notes),
    )


def partial_note(found: int, size: int) -> str:
    """The note that marks a table with missing architectures; part of its stored source."""
    return f" (only {found:,} of {size:,} architectures)"


def _best(table: pd.DataFrame, table_format: TableFormat) -> dict[str, tuple[float, str]]:
    best: dict[str, tuple[float, str]] = {}
    for column in table.columns.intersection(list(table_format.truths)):
        known = table[column].dropna()
        if len(known):
            values = known.to_numpy()
            winner = int(values.argmax() if table_format.truths[column].higher_is_better else values.argmin())
            best[column] = (float(values[winner]), str(known.index[winner]))
    return best
