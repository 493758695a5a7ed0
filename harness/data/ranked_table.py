"""A ranked table that brought its own accuracies: a benchmark with ground truths, and without networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Never

from harness._utils.names import unknown_name
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.data.columns import column_key
from harness.errors import HarnessError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from harness.tasks import Task


@dataclass(frozen=True, repr=False)
class ColumnTruth(GroundTruth):
    """A ground truth that is a column of a user's table."""

    def describe(self) -> str:
        """The column, the table and the direction."""
        better = "higher" if self.higher_is_better else "lower"
        return f"column '{self.split}' of {self.source}, {better} is better"

    @property
    def name(self) -> str:
        """The column."""
        return self.split

    @property
    def axis(self) -> str:
        """The column, and the table."""
        return f"{self.split} ({self.source})"

    @property
    def row(self) -> str:
        """The column."""
        return f"{self.split} (trained)"


class RankedTable(Benchmark):
    """The rows of a table with scores and accuracies; its networks are unknown.

    A table with a function that builds its networks is a benchmark by :meth:`harness.Benchmark.from_table`.

    Args:
        name: the table's name.
        truths: each column of accuracies or costs, indexed by architecture, NaN where it is unknown, the default first.
        higher: whether higher is better, for each of them.
    """

    citation = ""
    subsets = {"all": "every architecture of the table"}  # noqa: RUF012

    def __init__(self, name: str, truths: Mapping[str, pd.Series[float]], higher: Mapping[str, bool]) -> None:
        # Facts of a class for every other benchmark; here they are the table's.
        vars(self).update(name=name, title=name, datasets=("",), truths=tuple((column, "") for column in truths))
        self._columns, self._higher = dict(truths), dict(higher)

    def architectures(self) -> Sequence[str]:
        """The names of the rows."""
        return list(next(iter(self._columns.values())).index)

    def task(self, dataset: str) -> Task:
        """Unknown."""
        return self._unknown()

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """Impossible."""
        return self._unknown()

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The column with this name; its rows without a number are left out."""
        wanted = "/".join(str(part) for part in (split, epochs) if part not in (None, "")).rstrip("/")
        named = {column_key(column): column for column in self._columns}
        if wanted and column_key(wanted) not in named:
            raise UnknownNameError(unknown_name(f"column of accuracies in {self.name}", wanted, self._columns))
        column = named[column_key(wanted)] if wanted else next(iter(self._columns))
        return ColumnTruth(
            benchmark=self.name,
            dataset="",
            split=column,
            epochs="",
            seeds="as in the table",
            metric="",
            higher_is_better=self._higher[column],
            source=self.name,
            accuracy=self._columns[column].dropna(),
        )

    def _unknown(self) -> Never:
        raise HarnessError(f"{self.name} is a table: its networks are unknown, so nothing can be computed on them")
