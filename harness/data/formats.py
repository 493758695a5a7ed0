"""What the ground-truth table of a benchmark must hold, as the benchmark declares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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
        chance: what guessing gives, in the column's unit: 100 / classes for an accuracy in percent. A column of
            percent in which accuracies under 1 % are real must declare it, since they are taken for fractions
            elsewhere. None where nothing is known of it.
    """

    description: str
    limits: tuple[float, float] = (0, 100)
    decimals: int = 4
    higher_is_better: bool = True
    chance: float | None = None

    @property
    def is_percent(self) -> bool:
        """Whether the unit is percent, which is what a greatest value of 100 declares."""
        return self.limits[1] == 100


@dataclass(frozen=True)
class Contrast:
    """Two groups of architectures of which one is known to be better in every column: they show a column's direction.

    An error rate in place of an accuracy, or a throughput in place of a latency, is within the limits but turns the
    two round. Medians are compared, so one failed training does no harm.

    Attributes:
        worse: which architectures are known to be worse, bool, (rows,), from the table, indexed by architecture.
        better: which are known to be better.
        words: the two groups in words, worse first.
    """

    worse: Callable[[pd.DataFrame], NDArray[np.bool_]]
    better: Callable[[pd.DataFrame], NDArray[np.bool_]]
    words: tuple[str, str]

    @classmethod
    def of_names(cls, worse: str, better: str, words: tuple[str, str]) -> Contrast:
        """Two groups told by regular expressions that a whole identifier must match."""

        def matching(pattern: str) -> Callable[[pd.DataFrame], NDArray[np.bool_]]:
            return lambda table: np.asarray(table.index.astype("str").str.fullmatch(pattern), dtype=bool)

        return cls(matching(worse), matching(better), words)


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
        kind: what the table holds, for messages.
        contrast: architectures that show the direction of every column.
        order_sha256: of the architectures in their published order, one a line. A column ``index`` of a complete
            table must number them so.
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

    def columns(self) -> list[str]:
        """Every column of a source that is read, as it is spelt."""
        listed = () if self.listing is None else self.listing.columns
        return list(dict.fromkeys([*self.truths, *(f"{dataset}/params" for dataset in self.datasets), *listed]))


@runtime_checkable
class Importable(Protocol):
    """A benchmark whose ground truth the user imports."""

    def table_format(self) -> TableFormat:
        """What its table must hold."""
