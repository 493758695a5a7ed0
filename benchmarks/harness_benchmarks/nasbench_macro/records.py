"""The published file of NAS-Bench-Macro: a JSON object with one record for each architecture.

A record has the three accuracies of ``test_acc``, their mean ``mean_acc`` and population standard deviation ``std``,
``params`` and ``flops`` (xiusu/NAS-Bench-Macro, README.md and ``train/collect_benchmark.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._utils.json_text import RepeatedKeyError, parse_json
from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.data.table_contents import content_of
from harness.errors import DataError
from harness_benchmarks.nasbench_macro.codes import enumerate_architectures
from harness_benchmarks.nasbench_macro.sizes import operation_counts

if TYPE_CHECKING:
    import pandas as pd

REPEATS = 3
CLASSES = 10
_FIELDS = ("test_acc", "mean_acc", "std", "params", "flops")
_LOOKED_AT = 4096
_ROUNDING = 1e-6
WANTED = "the JSON file of NAS-Bench-Macro"


class RecordsReader:
    """Reads ``nas-bench-macro_cifar10.json``.

    Args:
        mean: the column of mean accuracies.
        single: the columns of the single trainings, in the order of the file.
        parameters: the column of parameter counts.
    """

    def __init__(self, mean: str, single: tuple[str, ...], parameters: str) -> None:
        self.mean, self.single, self.parameters = mean, single, parameters

    def accepts(self, source: Path) -> bool:
        """Whether it starts like an object of such records."""
        try:
            start = content_of(source, WANTED, _LOOKED_AT).lstrip()
        except DataError:
            return False
        return start.startswith(b"{") and b'"test_acc"' in start

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """Accuracies in percent and parameter counts, indexed by architecture.

        The mean is computed from the single trainings.

        Raises:
            DataError: if the file is damaged, names an architecture twice, or has a record that is not one of this
                benchmark; the message names the architecture and what is wrong.
        """
        import pandas as pd

        name = source.name
        try:
            document = parse_json(content_of(source, WANTED).decode("utf-8"), unique=True)
        except RepeatedKeyError as error:
            raise DataError(f"{name} names '{one_line(error.key)}' more than once in one JSON object") from None
        except ValueError as error:
            raise DataError(f"{name} is truncated, or not a JSON file ({one_line(str(error))})") from None
        known, rows = set(enumerate_architectures()), {}
        for architecture, record in document.items():
            try:
                rows[architecture] = _row(record)
            except ValueError as error:
                raise DataError(f"{name}: the record of '{architecture}' {error}") from None
        frame = pd.DataFrame.from_dict(
            rows, orient="index", columns=[self.mean, *self.single, self.parameters, "flops"]
        )
        _check_operations(frame[[architecture in known for architecture in rows]], name)
        return frame.drop(columns="flops")


def _row(record: Any) -> list[float]:
    """Mean and single accuracies, parameters and operations of one record.

    Raises:
        ValueError: if it is not such a record; the message completes "the record of 'x' …".
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"is not an object with {listed(_FIELDS)}")
    missing = [field for field in _FIELDS if field not in record]
    if missing:
        raise ValueError(f"has no '{missing[0]}'; it has {listed(record)}")
    single = record["test_acc"]
    if not isinstance(single, list) or len(single) != REPEATS:
        count = f"{len(single)} test accuracies" if isinstance(single, list) else "no list of test accuracies"
        raise ValueError(f"has {count}; expected: {REPEATS}, one for each seed")
    numbers = {"test_acc": single, **{field: [record[field]] for field in _FIELDS[1:]}}
    for field, values in numbers.items():
        wrong = [value for value in values if not _is_number(value)]
        if wrong:
            raise ValueError(f"has {wrong[0]!r} in '{field}', which is not a finite number")
    mean = sum(single) / REPEATS
    deviation = math.sqrt(sum((accuracy - mean) ** 2 for accuracy in single) / REPEATS)
    for field, computed in (("mean_acc", mean), ("std", deviation)):
        if abs(record[field] - computed) > _ROUNDING:
            raise ValueError(f"says {record[field]:g} in '{field}', but its accuracies give {computed:g}")
    return [mean, *single, record["params"], record["flops"]]


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _check_operations(frame: pd.DataFrame, name: str) -> None:
    counted = operation_counts(list(frame.index), CLASSES)
    wrong = np.flatnonzero(frame["flops"].to_numpy() != counted)
    if len(wrong):
        raise DataError(
            f"{name}: the record of '{frame.index[wrong[0]]}' gives {frame['flops'].iloc[wrong[0]]:.12g} FLOPs, but "
            f"the network has {counted[wrong[0]]} multiply-accumulates ({len(wrong):,} rows differ): this table "
            "belongs to another benchmark or another network"
        )
