"""Ground truth that the user gives: any number per architecture, from a file or from Python.

A file is named with its column and, where lower is better, with the direction: ``robust.csv:pgd``,
``trained.csv:loss:lower``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from harness._utils.arguments import shown
from harness._utils.names import listed, unknown_name
from harness._utils.visible import one_line
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GIVEN, GroundTruth
from harness.contracts.proxy import Direction
from harness.data.accuracies import check_accuracies, is_named_accuracy
from harness.data.columns import column_key
from harness.data.dialects import official
from harness.data.table_files import by_architecture, place_of_architectures, read_frame, sha256_of, with_index
from harness.errors import DataError, HarnessError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip"),
    *(".parquet", ".feather", ".json", ".jsonl", ".xlsx"),
)
"""A truth that ends like this is a file, even without a column."""

_WANTED = "a table with one row per architecture and its numbers in columns"
_COSTLY = re.compile(
    "loss|error|err|nll|ece|perplexity|ppl|latency|energy|mae|mse|rmse|wer|cer|fid|brier|regret|entropy"
)
"""Words in a column's name that make it likely that lower is better."""


@dataclass(frozen=True, repr=False)
class GivenTruth(GroundTruth):
    """Values per architecture that the user gave, with where they come from.

    ``split`` and ``metric`` are the column, and ``epochs`` is ``given``, since the harness knows nothing about the
    training.

    Attributes:
        origin: the name of the file, or ``values given in Python``.
        sha256: the hash of the file, or of the values.
    """

    origin: str = ""
    sha256: str = ""

    def describe(self) -> str:
        """One line: ``'pgd' of robust.csv (sha256 1aafefcad84c), higher is better``."""
        better = "higher" if self.higher_is_better else "lower"
        return f"'{self.split}' of {self.origin} (sha256 {self.sha256[:12]}), {better} is better"

    @property
    def name(self) -> str:
        """File and column."""
        return f"{self.origin}:{self.split}"

    @property
    def axis(self) -> str:
        """The column, and the file."""
        return f"{self.split} ({self.origin})"

    @property
    def row(self) -> str:
        """The column."""
        return f"{self.split} (trained)"


def names_a_file(truth: str) -> bool:
    """Whether a ground truth is a file with a column, not a split with epochs.

    >>> names_a_file("robust.csv:pgd"), names_a_file("robust.csv"), names_a_file("test/200")
    (True, True, False)
    """
    return ":" in truth or truth.lower().endswith(SUFFIXES)


def given_truth(value: object, *, benchmark: Benchmark, dataset: str, better: Direction | None = None) -> GroundTruth:
    """The ground truth behind a file, a table, a column, or another ground truth.

    Networks without a finite value are left out of analyses, and counted.

    Args:
        value: ``file.csv:column`` or ``file.csv:column:lower``, of a table as by
            :func:`~harness.data.table_files.read_frame`; a data frame with one column of numbers, indexed by
            architecture or with a column ``architecture``; a series or a mapping by architecture; or a
            :class:`GroundTruth`.
        benchmark: the benchmark, whose dialects of architectures are recognised.
        dataset: the data set of the scored networks.
        better: whether ``higher`` or ``lower`` values are better; default: higher. It must be stated for a column that
            is named like a loss, an error or a cost.

    Raises:
        DataError: if the file cannot be read, a value is not a number, or an architecture has two different ones.
        UnknownNameError: if the file has no such column.
        HarnessError: if it is something else, several columns could be meant, or the direction is not clear.
    """
    import pandas as pd

    if better not in (None, *get_args(Direction)):
        raise HarnessError(f"better must be 'higher' or 'lower', not {shown(better)}")
    if isinstance(value, GroundTruth):
        turned = value.higher_is_better if better is None else better == "higher"
        return replace(value, partial=True, higher_is_better=turned)
    if isinstance(value, str | os.PathLike):
        file, column, stated = _parts(os.fspath(value))
        if better and stated and better != stated:
            raise HarnessError(f"'{value}' says that {stated} is better, and better={better!r} the opposite")
        notes: list[str] = []
        known = (column_key(column),) if column else ()
        frame = read_frame(file, wanted=_WANTED, section=dataset, columns=known, notes=notes)
        frame = official(frame, benchmark.dialects(), benchmark.architectures, file.name, notes)
        frame = one_row_each(frame, file.name)
        values = _column(frame, column, file.name, f"{file}:COLUMN")
        origin, sha256 = file.name, sha256_of(file)
        source = "; ".join((str(file.resolve()), *notes))
        stated = better or stated
        hint = f"write {file}:{values.name}:lower, or :higher"
    else:
        origin, stated, hint = "values given in Python", better, "give better='lower', or 'higher'"
        source = origin
        if isinstance(value, pd.DataFrame):
            values = _column(_indexed(value, "the table", benchmark), None, "the table", "table['COLUMN']")
        elif isinstance(value, pd.Series | Mapping):
            series = pd.Series(value) if isinstance(value, Mapping) else value
            frame = series.to_frame("accuracy" if series.name is None else str(series.name))
            values = _indexed(frame, "the series", benchmark).iloc[:, 0]
        else:
            raise HarnessError(
                "truth must be 'split/epochs', a file such as 'robust.csv:pgd', or a table or series by architecture, "
                f"not {shown(value)}"
            )
        sha256 = ""
    return truth_of(values, benchmark.name, dataset, stated, hint, origin, source, sha256)


def truth_of(
    values: pd.Series[Any],
    benchmark: str,
    dataset: str,
    better: Direction | None,
    hint: str,
    origin: str,
    source: str,
    sha256: str = "",
) -> GivenTruth:
    """The ground truth of one column, indexed by architecture.

    Args:
        values: the column; its name is the measure.
        benchmark: the benchmark's name.
        dataset: the data set of the scored networks.
        better: which direction is better; None: higher, unless the name of the column speaks against it.
        hint: how to state the direction, for a message.
        origin: where the values come from, in a few words.
        source: the same in full.
        sha256: the hash of the file; default: of the values.

    Raises:
        DataError: if a value is not a number.
        HarnessError: if the direction is not clear.
    """
    column = str(values.name)
    if better is None and any(map(_COSTLY.fullmatch, re.split(r"[^a-z]+", column.lower()))):
        raise HarnessError(f"is a lower or a higher '{column}' better? {hint}")
    numbers = _numbers(values, origin)
    if is_named_accuracy(column):
        declare = f"If so, or if they are accuracies, {hint}"
        words = f"column '{column}' of {origin}"
        check_accuracies(np.asarray(numbers, dtype=np.float64), list(numbers.index), words, better is not None, declare)
    return GivenTruth(
        benchmark=benchmark,
        dataset=dataset,
        split=column,
        epochs=GIVEN,
        seeds="as given",
        metric=column,
        higher_is_better=better != "lower",
        source=source,
        accuracy=numbers,
        partial=True,
        origin=origin,
        sha256=sha256 or values_sha256(numbers.to_frame()),
    )


def indexed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A data frame, indexed by architecture as text: by its column of architectures if it has one, else by its index.

    Raises:
        DataError: as by :func:`one_row_each`, or if it names no architectures.
    """
    return one_row_each(by_architecture(_naming(frame, name), name), name)


def _indexed(frame: pd.DataFrame, name: str, benchmark: Benchmark) -> pd.DataFrame:
    """The same, with the benchmark's identifiers."""
    numbers = frame.index.name is None and frame.index.dtype.kind in "iuf"
    # Numbers that nothing explains may be what is left of an index that counted rows.
    explained = not numbers or place_of_architectures(frame) is not None
    dialects = benchmark.dialects() if explained else ()
    return one_row_each(official(_naming(frame, name), dialects, benchmark.architectures, name, []), name)


def _naming(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    named = with_index(frame, name, numbers=True)
    if place_of_architectures(named) is None:
        raise DataError(
            f"{name} does not name the architectures; it needs them as index, or in a column 'architecture', beside "
            f"{listed(frame.columns)}"
        )
    return named


def one_row_each(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table that is indexed by architecture, as text; rows that are repeated without a difference are kept once.

    Raises:
        DataError: if an architecture has several different rows.
    """
    frame = frame.set_axis(frame.index.map(lambda architecture: str(architecture).strip()))
    frame = frame.rename_axis("architecture")
    # The index is compared too: other architectures may have the same numbers.
    frame = frame[~frame.reset_index().duplicated().to_numpy()]
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        raise DataError(
            f"{name} has '{one_line(twice)}' in several rows that differ; give one row each, such as their mean"
        )
    return frame


def number_columns(frame: pd.DataFrame) -> list[str]:
    """The names of the columns of numbers."""
    return [str(name) for name in frame.select_dtypes("number").columns]


def values_sha256(frame: pd.DataFrame) -> str:
    """The hash of a table's index, names and values, in their order."""
    text = frame.to_csv(lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).hexdigest()


def _parts(text: str) -> tuple[Path, str | None, Direction | None]:
    """File, column and direction; file names and columns may themselves have colons."""
    pieces = text.split(":")
    splits = [(":".join(pieces[:end]), ":".join(pieces[end:])) for end in range(1, len(pieces) + 1)]
    found = [(Path(file).expanduser(), rest) for file, rest in splits if Path(file).expanduser().is_file()]
    if not found:
        named = next((file for file, _ in splits if file.lower().endswith(SUFFIXES)), splits[0][0])
        raise DataError(f"no such file: '{named}'; write FILE:COLUMN, such as robust.csv:pgd")
    file, rest = found[0]
    column, _, direction = rest.rpartition(":")
    match direction:
        case "higher" | "lower":
            return file, column or None, direction
        case _:
            return file, rest or None, None


def _column(frame: pd.DataFrame, column: str | None, name: str, example: str) -> pd.Series[Any]:
    """The named column, or the only one of numbers."""
    names = [str(name) for name in frame.columns]
    if column is None:
        offered = number_columns(frame)
        if len(offered) != 1:
            have = f"it has {listed(offered)}" if offered else f"it has only {listed(names)}"
            raise HarnessError(f"choose a column of numbers of {name}, as in {example}; {have}")
        column = offered[0]
    matches = [name for name in names if name == column] or [n for n in names if column_key(n) == column_key(column)]
    if len(matches) != 1:
        with_the_word = [name for name in names if column.casefold() in name.casefold()]
        raise UnknownNameError(unknown_name(f"column of {name}", column, with_the_word or names))
    values: pd.Series[Any] = frame.iloc[:, names.index(matches[0])]
    return values.rename(matches[0])


def _numbers(values: pd.Series[Any], name: str) -> pd.Series[float]:
    """A column as numbers; missing where it is empty."""
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        architecture = values.index[wrong.to_numpy()][0]
        text = one_line(str(values[wrong].iloc[0]))
        raise DataError(
            f"'{values.name}' of {name} is '{text}' for '{one_line(str(architecture))}', which is not a number"
        )
    return numbers
