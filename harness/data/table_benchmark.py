"""A benchmark from a table of trained networks and a function that builds one of them."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness._utils.arguments import path, shown
from harness._utils.names import listed, unknown_name
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GIVEN, GroundTruth
from harness.contracts.proxy import Direction
from harness.data.given_truth import indexed, number_columns, one_row_each, truth_of, values_sha256
from harness.data.table_files import read_table_file, sha256_of
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.tasks import Task

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

_WANTED = "a table with one row per architecture, its accuracy, and whatever is needed to build it"


class TableBenchmark(Benchmark):
    """See :meth:`harness.Benchmark.from_table`."""

    citation = ""

    def __init__(
        self,
        table: pd.DataFrame | Path | str,
        *,
        build: Callable[..., nn.Module],
        task: Task,
        accuracy: str | None,
        better: Direction | Mapping[str, Direction] | None,
        name: str | None,
        title: str | None,
    ) -> None:
        if not callable(build):
            raise HarnessError(f"build must be a function from an architecture to a network, not {shown(build)}")
        if not isinstance(task, Task):
            raise HarnessError(f"task must be a Task, such as Task('cifar10', (3, 32, 32), 10), not {shown(task)}")
        self._build, self._task = build, task
        self._frame, self._origin, self._source, self._sha256 = _read(table, self.defined_by.__module__)
        columns = number_columns(self._frame)
        main = _main_column(accuracy, columns, self._origin)
        self._better = {main: better} if isinstance(better, str) else dict(better or {})
        for column, direction in self._better.items():
            if direction not in get_args(Direction):
                raise HarnessError(f"better must be 'higher' or 'lower', not {shown(direction)}")
            if column not in columns:
                raise UnknownNameError(unknown_name(f"column of numbers of {self._origin}", column, columns))
        # What a class states for all of its instances is that of one table here.
        facts = {
            "name": name or ("own" if self._source is None else Path(self._source).name.partition(".")[0]),
            "title": title or f"networks of {self._origin}",
            "datasets": (task.dataset,),
            "truths": tuple((column, GIVEN) for column in dict.fromkeys([main, *columns])),
        }
        for fact, value in facts.items():
            setattr(self, fact, value)
        self.ground_truth(task.dataset)

    @functools.cached_property
    def contents(self) -> str:
        """The hash of the table."""
        return values_sha256(self._frame)

    @property
    def defined_by(self) -> Callable[..., object]:
        """The function that builds networks."""
        build = inspect.unwrap(self._build)
        while isinstance(build, functools.partial):
            build = build.func
        return build if hasattr(build, "__qualname__") else type(build)

    def architectures(self) -> Sequence[str]:
        """The identifiers in the order of the table."""
        return list(self._frame.index)

    def task(self, dataset: str) -> Task:
        """The task that was given."""
        self.check_dataset(dataset)
        return self._task

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network that the function builds, with what it hides from proxies made visible."""
        import torch
        from torch import nn

        from harness.networks import prepared

        self.check_dataset(dataset)
        if architecture not in self._frame.index:
            raise HarnessError(f"'{architecture}' is not in {self._origin}; try '{self._frame.index[0]}'")
        network = self._build(architecture, self._row(architecture)) if self._wants_row else self._build(architecture)
        if not isinstance(network, nn.Module):
            raise HarnessError(f"build must return a torch.nn.Module, not {shown(network)}, as for '{architecture}'")
        return prepared(network, torch.zeros(2, *self._task.image_shape))

    def choose_truth(self, dataset: str, split: str | None, epochs: int | str | None) -> tuple[str, int | str]:
        """A column by its name, which may have a slash."""
        joined = f"{split}/{epochs}"
        return (joined, GIVEN) if (joined, GIVEN) in self.truths else super().choose_truth(dataset, split, epochs)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """A column of numbers; ``split`` is its name."""
        self.check_dataset(dataset)
        column, _ = self.choose_truth(dataset, split, epochs)
        return truth_of(
            self._frame[column],
            self.name,
            dataset,
            self._better.get(column),
            f"give from_table better={{'{column}': 'lower'}}, or 'higher'"
            + (f", or the truth {self._source}:{column}:lower" if self._source else ""),
            self._origin,
            self._source or self._origin,
            self._sha256,
        )

    @functools.cached_property
    def _wants_row(self) -> bool:
        try:
            parameters = inspect.signature(self._build).parameters.values()
        except (TypeError, ValueError):
            return False
        needed = [each for each in parameters if each.default is each.empty and each.kind <= each.POSITIONAL_OR_KEYWORD]
        return len(needed) > 1

    def _row(self, architecture: str) -> dict[str, Any]:
        """The row as Python values; whole numbers stay whole beside fractions."""
        values = {str(column): self._frame[column].loc[architecture] for column in self._frame.columns}
        return {column: value.item() if hasattr(value, "item") else value for column, value in values.items()}


def _read(table: object, module: str) -> tuple[pd.DataFrame, str, str | None, str]:
    """The table, its name, the file that it is from if there is one, and its hash if it is a file."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        frame = indexed(table, "the table")
        if frame.empty:
            raise DataError("the table has no rows; a benchmark needs networks")
        return frame, "a table", None, ""
    if not isinstance(table, str | os.PathLike):
        raise HarnessError(f"table must be a data frame, or the file of a table, not {shown(table)}")
    file = path(table, "table")
    code = getattr(sys.modules.get(module), "__file__", None)
    beside = Path(code).parent / file if code else file
    found = next((each for each in (beside, file) if each.is_file()), None)
    if found is None:
        raise DataError(f"no such file: '{beside}'; expected: {_WANTED}")
    frame = one_row_each(read_table_file(found, _WANTED), found.name)
    if frame.empty:
        raise DataError(f"{found.name} has no rows; a benchmark needs networks")
    return frame, found.name, str(found.resolve()), sha256_of(found)


def _main_column(accuracy: str | None, columns: Sequence[str], origin: str) -> str:
    if accuracy is None and len(columns) == 1:
        return columns[0]
    if accuracy is None:
        have = f"the columns of numbers are {listed(columns)}" if columns else "it has no column of numbers"
        raise HarnessError(f"which column of {origin} is the accuracy? give accuracy=...; {have}")
    if accuracy not in columns:
        raise UnknownNameError(unknown_name(f"column of numbers of {origin}", accuracy, columns))
    return accuracy
