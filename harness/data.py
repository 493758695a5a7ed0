"""Importing ground truth: from a file that the user has to the local table of a benchmark, checked on the way.

A benchmark whose accuracies cannot be shipped declares by a :class:`TableFormat` what its table must hold. Here it is
read from CSV, Parquet, or whatever else the format knows to read, compared with what is declared, and stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.errors import DataError, HarnessError
from harness.table_files import read_table_file, sha256_of
from harness.tables import TableMetadata, write_table

if TYPE_CHECKING:
    import pandas as pd


@runtime_checkable
class SourceReader(Protocol):
    """Reads one kind of archive that a benchmark's ground truth is published as."""

    def accepts(self, source: Path) -> bool:
        """Whether the file or folder is of this kind; told without unpickling anything."""

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """Its accuracies, indexed by architecture, in columns of the format; a clear DataError if it is damaged."""

    def describe(self, source: Path) -> str:
        """What it is, in words, for the table's metadata."""


@dataclass(frozen=True)
class Listing:
    """How a source itself lists the architectures, for a benchmark that cannot list them without one.

    Attributes:
        size: how many architectures the benchmark has.
        columns: each column that describes architectures, with what it holds; they are kept in the table.
        describe: those columns from (the source's table, its name), checked and in the table's types; a clear
            DataError if an architecture is none of the benchmark.
        parameters: the parameter count of each architecture's network, from (the described columns, dataset).
    """

    size: int
    columns: Mapping[str, str]
    describe: Callable[[pd.DataFrame, str], pd.DataFrame]
    parameters: Callable[[pd.DataFrame, str], NDArray[np.int64]]


@dataclass(frozen=True)
class Truth:
    """What one column of ground truth holds.

    Attributes:
        description: what was measured on what, with its unit.
        limits: the least and the greatest possible value.
        decimals: values are rounded to so many, so that equal accuracies are equal whatever they were averaged by.
        higher_is_better: the direction.
    """

    description: str
    limits: tuple[float, float] = (0, 100)
    decimals: int = 4
    higher_is_better: bool = True


@dataclass(frozen=True)
class TableFormat:
    """What the ground-truth table of a benchmark must hold.

    Attributes:
        architectures: every architecture of the benchmark.
        truths: each column of ground truth with what it holds; the source may lack some.
        essential: the columns of which the source must have one at least.
        seeds: how trainings of one architecture are combined.
        parameters: the parameter count of each architecture's network, from (architectures, dataset); a column
            ``dataset/params`` of the source must equal it.
        datasets: the data sets.
        obtain: what FILE is and where it can be had, in a few words.
        readers: the archives that can be read besides CSV and Parquet.
        listing: for a benchmark whose architectures only the source lists; ``architectures`` and ``parameters`` are
            then not asked by an import.
    """

    architectures: Callable[[], Sequence[str]]
    truths: Mapping[str, Truth]
    essential: tuple[str, ...]
    seeds: str
    parameters: Callable[[Sequence[str], str], NDArray[np.int64]]
    datasets: tuple[str, ...]
    obtain: str
    readers: tuple[SourceReader, ...] = ()
    listing: Listing | None = None


@runtime_checkable
class Importable(Protocol):
    """A benchmark whose ground truth the user imports."""

    def table_format(self) -> TableFormat:
        """What its table must hold."""


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
    """

    benchmark: str
    source: str
    architectures: tuple[int, int]
    best: dict[str, tuple[float, str]]
    sha256: str
    path: Path
    ignored: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        found, expected = self.architectures
        lines = [
            f"imported the ground truth of {self.benchmark} from {self.source}",
            f"sha256 {self.sha256}",
            f"architectures: {found:,} of {expected:,}",
        ]
        lines += [f"{column}: best {value:.3f} by {name}" for column, (value, name) in self.best.items()]
        if self.ignored:
            lines.append(f"columns not used: {', '.join(self.ignored)}")
        return [*lines, f"stored as {self.path}"]


def import_table(
    benchmark: Benchmark, file: str | Path, *, trust_pickle: bool = False, allow_partial: bool = False
) -> ImportSummary:
    """Read a file of ground truth, check it against the benchmark, and store it as the benchmark's local table.

    Args:
        benchmark: the benchmark.
        file: a CSV (perhaps gzipped) or Parquet table with the architectures in a column ``arch`` or ``architecture``,
            or an archive that the benchmark's format can read.
        trust_pickle: whether an archive's pickles may be loaded though they hold more than plain data, which lets
            them run any code.
        allow_partial: whether architectures may be missing.

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
    table, size = checked_table(frame, table_format, source.name, allow_partial)
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
    )


def partial_note(found: int, size: int) -> str:
    """What is added to the source of a table that lacks architectures."""
    return f" (only {found:,} of {size:,} architectures)"


def checked_table(
    frame: pd.DataFrame, table_format: TableFormat, name: str, allow_partial: bool
) -> tuple[pd.DataFrame, int]:
    """What of a table is the benchmark's, in its order and types, and how many architectures the benchmark has.

    Args:
        frame: the table, indexed by architecture.
        table_format: what it must hold.
        name: its name, for the messages.
        allow_partial: whether architectures may be missing.

    Raises:
        DataError: if architectures are missing, repeated or unknown, or a value is not what the format allows.
    """
    if table_format.listing is None:
        expected = table_format.architectures()
        _check_architectures(frame, expected, name, allow_partial)
        size, described = len(expected), frame[[]]
    else:
        expected, size = sorted(frame.index), table_format.listing.size
        _check_listed(frame, size, name, allow_partial)
        described = table_format.listing.describe(frame, name)
    table = described.join(_checked_columns(frame, table_format, described, name))
    return table.reindex([architecture for architecture in expected if architecture in table.index]), size


def _check_architectures(frame: pd.DataFrame, expected: Sequence[str], name: str, allow_partial: bool) -> None:
    """Every architecture exactly once, and no other."""
    known = set(expected)
    unknown = [row for row in frame.index if row not in known]
    if unknown:
        raise DataError(
            f"{name}: '{unknown[0]}' is no architecture of this benchmark ({len(unknown):,} of {len(frame):,} rows)"
        )
    _check_once(frame, name)
    present = set(frame.index)
    missing = [row for row in expected if row not in present]
    if not present or (missing and not allow_partial):
        raise DataError(
            f"{name}: {len(missing):,} of {len(expected):,} architectures are missing, the first is '{missing[0]}'; "
            "give a complete file, or allow a partial one (--allow-partial)"
        )


def _check_listed(frame: pd.DataFrame, size: int, name: str, allow_partial: bool) -> None:
    """Every architecture once, and as many as the benchmark has."""
    _check_once(frame, name)
    if len(frame) > size:
        raise DataError(f"{name} lists {len(frame):,} architectures, but the benchmark has {size:,}")
    if frame.empty or (len(frame) < size and not allow_partial):
        raise DataError(
            f"{name}: {size - len(frame):,} of {size:,} architectures are missing; "
            "give a complete file, or allow a partial one (--allow-partial)"
        )


def _check_once(frame: pd.DataFrame, name: str) -> None:
    repeated = frame.index[frame.index.duplicated()].unique()
    if len(repeated):
        raise DataError(f"{name}: '{repeated[0]}' occurs more than once ({len(repeated):,} architectures do)")


def _meaning(column: str, table_format: TableFormat) -> str:
    described = {} if table_format.listing is None else table_format.listing.columns
    if column in table_format.truths:
        return table_format.truths[column].description
    return described.get(column, "parameters of the network")


def _checked_columns(
    frame: pd.DataFrame, table_format: TableFormat, described: pd.DataFrame, name: str
) -> pd.DataFrame:
    """The columns of the format that the source has, with their values checked and in the table's types."""
    if not any(column in frame.columns for column in table_format.essential):
        raise DataError(
            f"{name} has no column of ground truth: one of {', '.join(table_format.essential)} is needed; "
            f"it has {', '.join(map(str, frame.columns)) or 'none'}"
        )
    table = frame[[]].copy()
    for column, truth in table_format.truths.items():
        if column in frame.columns:
            table[column] = _checked_truth(frame[column], truth, name)
    for dataset in table_format.datasets:
        column = f"{dataset}/params"
        if column in frame.columns:
            if table_format.listing is None:
                counted = table_format.parameters(list(frame.index), dataset)
            else:
                counted = table_format.listing.parameters(described, dataset)
            table[column] = _checked_parameters(frame[column], counted, name)
    return table


def _checked_truth(values: pd.Series[float], truth: Truth, name: str) -> NDArray[np.float32]:
    lowest, highest = truth.limits
    numbers = _numbers(values, name)
    wrong = np.flatnonzero(~((numbers >= lowest) & (numbers <= highest)))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' holds {numbers[wrong[0]]:g} for '{values.index[wrong[0]]}' "
            f"({len(wrong):,} such values); wanted: {lowest:g} to {highest:g}"
        )
    if highest == 100 and numbers.max() <= 1:
        raise DataError(f"{name}: column '{values.name}' holds fractions (at most {numbers.max():g}); wanted: percent")
    return numbers.round(truth.decimals).astype(np.float32)


def _checked_parameters(values: pd.Series[float], counted: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    numbers = _numbers(values, name)
    wrong = np.flatnonzero(numbers != counted)
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' gives {numbers[wrong[0]]:.12g} parameters for '{values.index[wrong[0]]}', "
            f"but the network has {counted[wrong[0]]} ({len(wrong):,} rows differ): "
            "this is the table of another benchmark or another network"
        )
    return counted


def _numbers(values: pd.Series[float], name: str) -> NDArray[np.float64]:
    """The values as numbers; what is no number becomes an error that says where it stands."""
    import pandas as pd

    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(numbers))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' holds '{values.iloc[wrong[0]]}', which is no number, for "
            f"'{values.index[wrong[0]]}' ({len(wrong):,} such values)"
        )
    return numbers


def _best(table: pd.DataFrame, table_format: TableFormat) -> dict[str, tuple[float, str]]:
    best: dict[str, tuple[float, str]] = {}
    for column in table.columns.intersection(list(table_format.truths)):
        values = table[column].to_numpy()
        winner = int(values.argmax() if table_format.truths[column].higher_is_better else values.argmin())
        best[column] = (float(values[winner]), str(table.index[winner]))
    return best
