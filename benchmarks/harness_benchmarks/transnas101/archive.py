"""Reading the official file of TransNAS-Bench-101, ``transnas-bench_v10141024.pth``.

It was written by ``torch.save`` and contains ``{"data": {space: {architecture: {task: {"metrics": {name: [one value per
epoch]}, "total_epochs": …, "model_info": {…}}}}}}`` and lists of names (yawen-d/TransNASBench, ``api/api.py``).
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness_benchmarks.transnas101.truths import FACTS, Column, Metric, Moment, Split, TaskFacts

if TYPE_CHECKING:
    import pandas as pd

Space = Literal["micro", "macro"]

# The tasks that train a generator call validation "val", the others "valid".
_OFFICIAL_SPLITS: Mapping[Split, tuple[str, ...]] = {"val": ("valid", "val"), "test": ("test",)}
_LOCAL_HEADER, _NAME_LENGTH, _NAME = b"PK\x03\x04", slice(26, 28), 30
_LEGACY_NUMBER = re.escape(0x1950A86A20F9469CFC6C.to_bytes(10, "little"))
# Without a zip container, the output of torch.save begins with a pickle of this number: an optional frame, then ten
# bytes.
_LEGACY_START = re.compile(rb"\x80[\x02-\x05](\x95.{8})?\x8a\n" + _LEGACY_NUMBER, re.DOTALL)
_REFUSED_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_REASON = re.compile(r"WeightsUnpickler error:\s*(.+)")


@dataclass(frozen=True)
class PthReader:
    """Reads one search space from the official file.

    Nothing but torch's ``weights_only`` loading is used, with numpy's numbers allowed besides, unless the user trusts
    the file.
    """

    space: Space

    def accepts(self, source: Path) -> bool:
        """Whether ``torch.save`` wrote it, by its first bytes."""
        if not source.is_file():
            return False
        with source.open("rb") as file:
            start = file.read(512)
        return _is_zip(start) or _LEGACY_START.match(start) is not None

    def describe(self, source: Path) -> str:
        """The file's name and the search space."""
        return f"{source.name}, search space {self.space}"

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """One row per architecture of the space, with the columns ``COLUMNS``.

        The sizes in the file are not used, because it is not documented what they count, such as the discriminator.

        Raises:
            DataError: if the file is damaged, contains more than plain data, or is incomplete; the message names the
                file, the architecture, the task and the metric.
        """
        import pandas as pd

        results = _results(_load(source, trust_pickle), self.space, source.name)
        rows: dict[str, dict[str, float]] = {}
        for architecture, tasks in results.items():
            place = f"{source.name}: '{architecture}'"
            if not isinstance(tasks, dict):
                raise DataError(f"{place} is {_kind(tasks)}; expected: a dictionary of tasks")
            row = rows[str(architecture)] = {}
            for task, facts in FACTS.items():
                if task not in tasks:
                    raise DataError(f"{place} has no task '{task}'; it has {_names(tasks)}")
                row |= _read_task(tasks[task], task, facts, f"{place}, task '{task}'")
        return pd.DataFrame.from_dict(rows, orient="index")


def _is_zip(start: bytes) -> bool:
    """Whether it is the zip container of ``torch.save``, whose first member is ``<name>/data.pkl``."""
    name = start[_NAME : _NAME + int.from_bytes(start[_NAME_LENGTH], "little")]
    return start.startswith(_LOCAL_HEADER) and name.endswith(b"/data.pkl")


def _load(source: Path, trust_pickle: bool) -> Any:
    import torch

    with source.open("rb") as file:
        zipped = _is_zip(file.read(512))
    try:
        if zipped:
            _check_members(source)
        with torch.serialization.safe_globals(_plain_numbers()):
            return torch.load(source, map_location="cpu", weights_only=not trust_pickle, mmap=zipped)
    except Exception as error:
        # A damaged file can fail in any way: in the zip container, in the pickle, or in what it calls.
        if trust_pickle or not isinstance(error, pickle.UnpicklingError):
            reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            raise DataError(f"{source.name} is truncated or damaged ({reason})") from None
        raise DataError(
            f"{source.name} was not read: {_refusal(str(error))}; "
            "--trust-pickle loads it anyway, and runs any code in it"
        ) from None


def _check_members(source: Path) -> None:
    """Compare the checksum of every member of the zip container, which torch does not do."""
    with zipfile.ZipFile(source) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum of its member '{damaged}' is not the stored one")


def _refusal(message: str) -> str:
    """Why torch's ``weights_only`` loading stopped, without its advice to load everything."""
    name = _REFUSED_GLOBAL.search(message)
    if name:
        return f"it contains '{name[1]}', which is not plain data"
    reason = _REASON.search(message)
    return f"it is damaged or contains more than plain data ({reason[1] if reason else 'an unreadable pickle'})"


def _plain_numbers() -> list[Any]:
    """What a pickled numpy number names: its constructor, under the names of numpy 1 and 2, and the number types."""
    scalar: Any = np.float64(0).__reduce__()[0]
    types = {type(np.dtype(code)) for code in "?bhilqBHILQefd"}
    constructors = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*constructors, np.dtype, *sorted(types, key=lambda kind: kind.__name__)]


def _results(content: Any, space: str, name: str) -> Mapping[Any, Any]:
    """The results of one space, by architecture."""
    spaces = content.get("data") if isinstance(content, dict) else None
    if not isinstance(spaces, dict):
        found = f"a dictionary with {_names(content)}" if isinstance(content, dict) else _kind(content)
        raise DataError(
            f"{name} is not the file of TransNAS-Bench-101: it contains {found}; expected: 'data', by space"
        )
    if space not in spaces:
        raise DataError(f"{name} has no search space '{space}'; it has {_names(spaces)}")
    results = spaces[space]
    if not isinstance(results, dict) or not results:
        raise DataError(f"{name}: the search space '{space}' has no architectures")
    return results


def _read_task(result: Any, task: str, facts: TaskFacts, place: str) -> dict[str, float]:
    """The columns of one architecture on one task."""
    metrics = result.get("metrics") if isinstance(result, dict) else None
    if not isinstance(metrics, dict):
        raise DataError(f"{place} has no 'metrics'")
    row: dict[str, float] = {}
    for mark, metric in facts.metrics().items():
        curves = {split: _curve(metrics, metric, split, facts.epochs, place) for split in _OFFICIAL_SPLITS}
        epochs: dict[Moment, int] = {"final": facts.epochs - 1, "best": int(curves["val"].argmax())}
        for split, curve in curves.items():
            for moment, epoch in epochs.items():
                row[Column(task, split, moment, metric, facts.epochs, mark).name] = float(curve[epoch])
    return row


def _curve(metrics: Mapping[str, Any], metric: Metric, split: Split, epochs: int, place: str) -> NDArray[np.float64]:
    """A metric's value after each epoch, higher being better."""
    signs = {metric.official: 1.0} | ({metric.negated: -1.0} if metric.negated else {})
    names = {f"{prefix}_{stem}": sign for stem, sign in signs.items() for prefix in _OFFICIAL_SPLITS[split]}
    name = next((name for name in names if name in metrics), None)
    if name is None:
        raise DataError(f"{place} has no metric '{next(iter(names))}'; it has {_names(metrics)}")
    values = metrics[name]
    listed = isinstance(values, Sequence) and not isinstance(values, str)
    if not listed or len(values) != epochs:
        found = f"has {len(values)} values" if listed else f"is {_kind(values)}"
        raise DataError(f"{place}: '{name}' {found}; expected: one value for each of {epochs} epochs")
    try:
        curve = names[name] * np.array([_number(value) for value in values], dtype=np.float64)
    except ValueError as reason:
        raise DataError(f"{place}: '{name}' has {reason}") from None
    wrong = np.flatnonzero(~np.isfinite(curve))
    if len(wrong):
        raise DataError(f"{place}: '{name}' is {values[wrong[0]]} for epoch {wrong[0] + 1} of {epochs}")
    return curve


def _number(value: Any) -> float:
    """A Python or numpy number, or a tensor of one, as a float."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not (isinstance(value, int | float | np.number) or getattr(value, "ndim", None) == 0):
        raise ValueError(f"{_kind(value)}, which is not a number")
    return float(value)


def _names(content: Mapping[Any, Any]) -> str:
    return ", ".join(f"'{key}'" for key in list(content)[:12]) or "nothing"


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
