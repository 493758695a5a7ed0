"""Which columns of a table are scores and which are accuracies, which way is better in each, and what failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness._utils.names import listed, unknown_name
from harness.contracts.proxy import Direction
from harness.data.accuracies import check_accuracies, is_named_accuracy
from harness.data.columns import column_key
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.registry import aggregates, named_among, proxy_facts
from harness.store.records import Status

if TYPE_CHECKING:
    import pandas as pd

SENTINEL = -1e8
"""What NAS-Bench-Suite-Zero writes for a score that could not be computed."""

REST = "rest"
"""Stands for every column whose direction is not known otherwise."""

_COUNTERS = ("(unnamed)", "unnamed:0", "index", "id", "archindex", "rownames", "seed")
_WRITTEN = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*%?|[+-]?\d+(?:[.,]\d+)?\s*%")
"""Numbers as people write them, with separators of thousands or percent signs."""


@dataclass(frozen=True)
class ScoreColumn:
    """One column of scores.

    Attributes:
        column: its name in the table.
        row: its name in the run: the registered one, if the table's name means a registered proxy.
        label: its name in tables and figures.
        better: whether a higher or a lower score is better.
        registered: whether the direction is the registry's.
        outcomes: for each architecture, the status, the score and why there is none.
    """

    column: str
    row: str
    label: str
    better: Direction
    registered: bool
    outcomes: list[tuple[Status, float | None, str | None]]


@dataclass(frozen=True)
class TruthColumn:
    """One column of accuracies, or of anything else that scores may predict.

    Attributes:
        column: its name in the table.
        higher_is_better: its direction.
        values: NaN where there is no number.
    """

    column: str
    higher_is_better: bool
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The meaning of a table's columns.

    Attributes:
        scores: the columns of scores.
        truths: the columns of accuracies.
        unused: the other columns.
        accuracies: those of them that seem to be accuracies.
    """

    scores: tuple[ScoreColumn, ...]
    truths: tuple[TruthColumn, ...]
    unused: tuple[str, ...]
    accuracies: tuple[str, ...]


def meaning_of(
    frame: pd.DataFrame,
    name: str,
    *,
    truths: Sequence[str] = (),
    higher: Iterable[str] = (),
    lower: Iterable[str] = (),
    without: Iterable[str] = (),
    sentinel: float | None = None,
) -> Columns:
    """Decide what each column is; a direction that is neither registered nor declared is asked for.

    Raises:
        HarnessError: if a direction is not known or declared twice, two columns mean one proxy, or there is no score.
        UnknownNameError: if the table has no column of a given name.
        DataError: if accuracies mix fractions and percent, or seem to be errors.
    """
    declared, rest = _declared(frame, name, higher, lower)
    left_out = {_column(frame, each, name) for each in _split(frame, without)}
    truth_names = [_truth_column(frame, each, name) for each in _split(frame, truths)]
    found, asked, unused, accuracies = [], [], [], []
    for place, column in enumerate(map(str, frame.columns)):
        if column in truth_names or column in left_out:
            continue
        values = frame.iloc[:, place]
        numbers = _numbers(values)
        _check_writing(values, numbers, column, name)
        is_named = column in declared
        if not is_named and (column_key(column) in _COUNTERS or values.dtype.kind == "b" or not _has_numbers(numbers)):
            unused.append(column)
            continue
        facts = _registered(column)
        if not is_named and facts is None and is_named_accuracy(column):
            accuracies.append(column)
            continue
        better = declared.get(column) or (facts[2] if facts else rest)
        if better is None:
            asked.append(column)
            continue
        row, label, _ = facts or (column, column, better)
        is_registered = facts is not None and better == facts[2]
        found.append(ScoreColumn(column, row, label, better, is_registered, _outcomes(values, numbers, sentinel)))
    if asked:
        raise HarnessError(
            f"{name}: is higher or lower better in {listed(asked)}? Declare it with --higher NAME or --lower NAME "
            f"('{REST}' means all of these), or leave columns out with --without NAME"
        )
    if not found:
        raise HarnessError(f"{name} has no column of scores; it has {listed(frame.columns) or 'none'}")
    rows = [each.row for each in found]
    for each in found:
        if rows.count(each.row) > 1:
            both = [f"'{other.column}'" for other in found if other.row == each.row]
            raise HarnessError(
                f"{name}: {' and '.join(both)} both mean {each.label}; leave one out with --without NAME"
            )
    return Columns(
        tuple(found),
        tuple(_truth(frame, column, declared, name) for column in truth_names),
        tuple(unused),
        tuple(accuracies),
    )


def _split(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """The names, and the parts of those with commas that are no column."""
    columns = set(map(str, frame.columns))
    return [part for name in names for part in ([name] if name in columns else map(str.strip, name.split(",")))]


def _declared(
    frame: pd.DataFrame, name: str, higher: Iterable[str], lower: Iterable[str]
) -> tuple[dict[str, Direction], Direction | None]:
    declared: dict[str, Direction] = {}
    rest: Direction | None = None
    directions: tuple[tuple[Direction, Iterable[str]], ...] = (("higher", higher), ("lower", lower))
    for direction, names in directions:
        for each in _split(frame, names):
            if each == REST and each not in frame.columns:
                if rest not in (None, direction):
                    raise HarnessError(f"'{REST}' is declared as --higher and as --lower; choose one")
                rest = direction
                continue
            column = _column(frame, each, name)
            if declared.setdefault(column, direction) != direction:
                raise HarnessError(f"'{column}' is declared as --higher and as --lower; choose one")
    return declared, rest


def _column(frame: pd.DataFrame, wanted: str, name: str) -> str:
    """The column with this name, or the only one with another spelling of it, or with a name of the same proxy."""
    columns = [str(column) for column in frame.columns]
    if wanted in columns:
        return wanted
    similar = [column for column in columns if column_key(column) == column_key(wanted)]
    row = _registered(wanted)
    if not similar and row is not None:
        similar = [column for column in columns if (_registered(column) or ("",))[0] == row[0]]
    if len(similar) != 1:
        raise UnknownNameError(unknown_name(f"column of {name}", wanted, columns))
    return similar[0]


def _truth_column(frame: pd.DataFrame, wanted: str, name: str) -> str:
    """The column of accuracies with this name.

    Raises:
        UnknownNameError: if there is none; the message says how a direction and another file are given.
    """
    try:
        return _column(frame, wanted, name)
    except UnknownNameError as error:
        column, colon, direction = wanted.rpartition(":")
        if colon and direction in ("higher", "lower"):
            raise UnknownNameError(f"{error}; a direction is given as --{direction} {column}") from None
        if colon:
            raise UnknownNameError(
                f"{error}; without --benchmark, the truth is a column of the same table: add the column of {column} "
                "to it"
            ) from None
        raise


def _registered(column: str) -> tuple[str, str, Direction] | None:
    """Name, label and direction of the registered proxy or rank aggregate that a column's name means."""
    known = proxy_facts()
    row = named_among(column, known)
    if row is not None:
        return row, known[row].label, known[row].better
    pooled = aggregates()
    row = named_among(column, pooled)
    if row is None:
        return None
    # The name itself is that of the aggregate that the harness computes from its parts.
    return f"{row} (given)", f"{pooled[row].label} (given)", pooled[row].better


def _numbers(values: pd.Series[Any]) -> NDArray[np.float64]:
    import pandas as pd

    if values.dtype.kind in "mM":
        return np.full(len(values), np.nan)
    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _check_writing(values: pd.Series[Any], numbers: NDArray[np.float64], column: str, name: str) -> None:
    """Refuse numbers with separators of thousands or with percent signs, which would count as failures.

    Raises:
        DataError: if the words of a column are such numbers; those of a column without any number, only if all are.
    """
    words = [text.strip() for text in values[np.isnan(numbers)] if isinstance(text, str) and text.strip()]
    written = [text for text in words if _WRITTEN.fullmatch(text)]
    if written and (_has_numbers(numbers) or len(written) == len(words)):
        raise DataError(
            f"{name}: column '{column}' writes numbers as '{written[0]}' ({len(written):,} such values); write them "
            "without separators of thousands and percent signs, or leave the column out with --without"
        )


def _has_numbers(numbers: NDArray[np.float64]) -> bool:
    return bool((~np.isnan(numbers)).any())


def _outcomes(
    values: pd.Series[Any], numbers: NDArray[np.float64], sentinel: float | None
) -> list[tuple[Status, float | None, str | None]]:
    failures = {SENTINEL} if sentinel is None else {SENTINEL, sentinel}
    outcomes: list[tuple[Status, float | None, str | None]] = []
    for text, number in zip(values.tolist(), numbers.tolist(), strict=True):
        if number in failures:
            outcomes.append(("failed", None, f"the table has the sentinel {number:g}"))
        elif np.isinf(number):
            outcomes.append(("non_finite", None, f"the table has {number}"))
        elif np.isnan(number):
            outcomes.append(("failed", None, f"the table has '{text}'" if isinstance(text, str) else "no value"))
        else:
            outcomes.append(("ok", number, None))
    return outcomes


def _truth(frame: pd.DataFrame, column: str, declared: dict[str, Direction], name: str) -> TruthColumn:
    numbers = _numbers(frame[column])
    _check_writing(frame[column], numbers, column, name)
    finite = numbers[np.isfinite(numbers)]
    is_accuracy = is_named_accuracy(column)
    better = declared.get(column) or ("higher" if is_accuracy else None)
    if not len(finite):
        raise DataError(f"{name}: column '{column}' has no numbers to rank against")
    if better is None:
        raise HarnessError(
            f"{name}: is higher or lower better in '{column}'? Declare it with --higher {column} or --lower {column}"
        )
    if is_accuracy:
        declare = f"Then add --lower {column}; if they are accuracies, --higher {column}"
        check_accuracies(numbers, list(frame.index), f"{name}: column '{column}'", column in declared, declare)
    return TruthColumn(column, better == "higher", np.where(np.isfinite(numbers), numbers, np.nan))
