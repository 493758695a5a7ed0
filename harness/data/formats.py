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
        kind: what the table holds, for messages.
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


@runtime_checkable
class Importable(Protocol):
    """A benchmark whose ground truth the user imports."""

    def table_format(self) -> TableFormat:
        """What its table must hold."""
