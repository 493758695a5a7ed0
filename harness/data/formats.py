"""Formats of ground-truth tables, as benchmarks declare them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.contracts.dialect import Dialect

if TYPE_CHECKING:
    import pandas as pd

    from harness.data.sources import Sources


@runtime_checkable
class SourceReader(Protocol):
    """Reads one kind of archive in which a benchmark's ground truth is published."""

    def accepts(self, source: Path) -> bool:
        """Whether the file or directory is of this kind, decided without unpickling."""

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """Its accuracies, indexed by architecture, in columns of the format; raises DataError if it is damaged."""

    def describe(self, source: Path) -> str:
        """A short description, for the table's metadata."""


@dataclass(frozen=True)
class Listing:
    """How a source lists the architectures, for a benchmark that cannot list them without its source.

    Attributes:
        size: number of architectures of the benchmark.
        columns: each column that describes architectures, with its meaning; they are kept in the table.
        describe: makes those columns from (the source's table, its name), checked and in the table's types; raises
            DataError for an architecture that the benchmark does not have.
        parameters: computes the parameter count of each architecture's network from (those columns, dataset).
    """

    size: int
    columns: Mapping[str, str]
    describe: Callable[[pd.DataFrame, str], pd.DataFrame]
    parameters: Callable[[pd.DataFrame, str], NDArray[np.int64]]


@dataclass(frozen=True)
class Truth:
    """The content of one ground-truth column.

    Attributes:
        description: what was measured on what, with its unit.
        limits: the lowest and the highest possible value.
        decimals: decimals to round to, so that equal accuracies stay equal however they were averaged.
        higher_is_better: the direction.
        vanishing: whether real values may be near 0, so that values up to 1 do not suggest fractions.
        chance: what guessing gives, in the column's unit: 100 / classes for an accuracy in percent. Required for a
            percentage column with real accuracies below 1 %, which otherwise count as fractions. None if unknown.
        partial: whether networks may lack a value, which is then an empty cell or NaN. Their ground truth must be
            ``partial`` too.
        networks: the architectures that have a value; the cells of all others must be empty. None: every architecture.
    """

    description: str
    limits: tuple[float, float] = (0, 100)
    decimals: int = 4
    higher_is_better: bool = True
    chance: float | None = None
    vanishing: bool = False
    partial: bool = False
    networks: Callable[[], Collection[str]] | None = None

    @property
    def has_gaps(self) -> bool:
        """Whether some networks lack a value."""
        return self.partial or self.networks is not None

    @property
    def is_percent(self) -> bool:
        """Whether the unit is percent, which an upper limit of 100 declares."""
        return self.limits[1] == 100


@dataclass(frozen=True)
class Contrast:
    """Two groups of architectures, one known to be better in every column; they reveal a column's direction.

    An error rate instead of an accuracy, or a throughput instead of a latency, is within the limits but swaps the
    two groups. Medians are compared, so that one failed training has no effect.

    Attributes:
        worse: marks the architectures known to be worse, bool, (rows,), from the table, indexed by architecture.
        better: marks the architectures known to be better.
        words: descriptions of the two groups, worse first.
    """

    worse: Callable[[pd.DataFrame], NDArray[np.bool_]]
    better: Callable[[pd.DataFrame], NDArray[np.bool_]]
    words: tuple[str, str]

    @classmethod
    def of_names(cls, worse: str, better: str, words: tuple[str, str]) -> Contrast:
        """Define the two groups by regular expressions that must match a whole identifier."""

        def matching(pattern: str) -> Callable[[pd.DataFrame], NDArray[np.bool_]]:
            return lambda table: np.asarray(table.index.astype("str").str.fullmatch(pattern), dtype=bool)

        return cls(matching(worse), matching(better), words)


@dataclass(frozen=True)
class TableFormat:
    """The required content of a benchmark's ground-truth table.

    Attributes:
        architectures: every architecture of the benchmark.
        truths: each ground-truth column with its content; the source may lack some.
        essential: columns; the source must have at least one of them.
        seeds: how trainings of one architecture are combined.
        parameters: the parameter count of each architecture's network, from (architectures, dataset); a column
            ``dataset/params`` of the source must equal it.
        datasets: the data sets.
        obtain: what FILE is and where to get it, in a few words.
        readers: archive readers, besides CSV and Parquet.
        listing: for a benchmark with architectures that only the source lists; an import then does not call
            ``architectures`` and ``parameters``.
        kind: what the table contains, for messages.
        contrast: architectures that show the direction of every column.
        order_sha256: SHA-256 of the architectures in their published order, one per line. A column ``index`` of a
            complete table must number them in this order.
        dialects: other ways in which a table may write the architectures.
        sources: where to get the file, for a table besides the accuracies; a benchmark declares it by
            :class:`~harness.data.sources.Obtainable`.
        check: a further check of (the columns of the format as numbers, the name of the file), which raises DataError.
        trainings: the columns of the single trainings behind a ground-truth column. A source has all of them or none;
            they have the content of that column, which is their mean, and are kept in the table.
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
    kind: str = "ground truth"
    contrast: Contrast | None = None
    order_sha256: str = ""
    dialects: Sequence[Dialect] = ()
    sources: Sources | None = None
    check: Callable[[pd.DataFrame, str], None] | None = None
    trainings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """Every column that is read from a source, in its standard spelling."""
        listed = () if self.listing is None else self.listing.columns
        single = (column for columns in self.trainings.values() for column in columns)
        sizes = (f"{dataset}/params" for dataset in self.datasets)
        return list(dict.fromkeys([*self.truths, *single, *sizes, *listed]))

    def meanings(self) -> dict[str, str]:
        """What each column of the table contains, parameter counts excepted."""
        found = {} if self.listing is None else dict(self.listing.columns)
        for column, truth in self.truths.items():
            found[column] = truth.description
            for number, single in enumerate(self.trainings.get(column, ()), start=1):
                found[single] = f"training {number} behind {column}"
        return found


@runtime_checkable
class Importable(Protocol):
    """A benchmark with ground truth that the user imports."""

    def table_format(self) -> TableFormat:
        """The required content of its table."""
