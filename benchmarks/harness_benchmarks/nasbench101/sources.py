"""The files that NAS-Bench-101's ground truth is read from: the official TFRecord files, and tables of cells."""

from __future__ import annotations

import binascii
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.data.columns import column_key, one_of_each, with_known_names
from harness.data.table_files import header_of, read_frame
from harness.errors import DataError
from harness_benchmarks.nasbench101.framing import is_record_file, read_records
from harness_benchmarks.nasbench101.metrics import Metrics, decode_metrics
from harness_benchmarks.nasbench101.tables import CELL_COLUMNS, REPEAT_COLUMNS
from harness_benchmarks.nasbench101.trainings import EPOCHS, Trainings, mean_percent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_MEANS = tuple(f"cifar10/{split}/{epochs}" for split in ("test", "val") for epochs in EPOCHS)


class RecordFileReader:
    """Reads ``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord``, record by record."""

    def accepts(self, source: Path) -> bool:
        """Whether it is a TFRecord file."""
        return is_record_file(source)

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """One row per architecture; see :meth:`harness_benchmarks.nasbench101.trainings.Trainings.table`.

        If standard error is a terminal, a progress bar shows the records read per second.

        Raises:
            DataError: if the file is damaged, truncated or incomplete, or has a record that is not a training run of
                this benchmark; the message names the file, the record (from 1) and the reason.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        trainings, started = Trainings(), time.perf_counter()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]:,.0f} records/s"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(source.name, total=source.stat().st_size, rate=0.0)
            for batch in read_records(source):
                for number, record in enumerate(batch.records, start=batch.first):
                    try:
                        trainings.add(*decode_record(record))
                    except ValueError as reason:
                        raise DataError(f"{source.name}: record {number}: {reason}") from None
                rate = (batch.first + len(batch.records) - 1) / (time.perf_counter() - started)
                progress.update(task, completed=batch.position, rate=rate)
        return trainings.table(source.name)


def decode_record(record: bytes) -> tuple[str, int, str, str, Metrics]:
    """Module hash, epochs, adjacency, operations and metrics of one official record.

    A record is a JSON list of these five, the last in base64 (google-research/nasbench, ``nasbench/api.py``).

    Raises:
        ValueError: if it is not such a record; the message says why.
    """
    try:
        content = json.loads(record)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON text") from None
    if not isinstance(content, list) or [type(part) for part in content] != [str, int, str, str, str]:
        raise ValueError("it is not a list of module hash, epochs, adjacency, operations and metrics")
    name, epochs, adjacency, operations, metrics = content
    try:
        message = binascii.a2b_base64(metrics)
    except ValueError:
        raise ValueError("its metrics are not base64 text") from None
    return name, epochs, adjacency, operations, decode_metrics(message)


class CellTableReader:
    """Reads a CSV table, gzipped or not, with the columns ``hash``, ``vertices``, ``adjacency_bits`` and ``ops``."""

    def accepts(self, source: Path) -> bool:
        """Whether the first line names such columns."""
        return {"hash", column_key("adjacency_bits")} <= {column_key(column) for column in header_of(source)}

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """The table, indexed by hash, with accuracies in percent; fractions are converted.

        A column counts as fractions if most of its values are at most 1. Accuracies that all are whole numbers of the
        images of three trainings become exact, as from the official files. The cell without operations has an empty
        ``ops`` or a dash.

        Raises:
            DataError: if the file is damaged, or a column of fractions has values above 1 or below 0.
        """
        frame = read_frame(source, text=("hash", "ops"))
        known = ("hash", *CELL_COLUMNS, *REPEAT_COLUMNS, "params", "cifar10/params", *_MEANS)
        frame = with_known_names(frame, known, source.name)
        names = ["cifar10/params" if column == "params" else column for column in frame.columns]
        frame = one_of_each(frame, names, source.name)
        if "ops" in frame.columns:
            frame["ops"] = frame["ops"].fillna("").replace("-", "")
        frame = frame.set_index("hash")
        for column in frame.columns:
            if column.startswith(("cifar10/test/", "cifar10/val/")) and frame[column].dtype.kind == "f":
                frame[column] = _percent(frame[column], source.name)
        return frame


def _percent(values: pd.Series[float], name: str) -> NDArray[np.float64]:
    """A column of accuracies, fractions or percent, in percent."""
    percent = values
    if values.median() <= 1:
        wrong = values[(values < 0) | (values > 1)]
        if len(wrong):
            right = values[values.between(0, 1)]
            beside = f" beside {right.iloc[0]:g} for '{right.index[0]}'" if len(right) else ""
            raise DataError(
                f"{name}: column '{values.name}' of fractions has {wrong.iloc[0]:g} for '{wrong.index[0]}'{beside} "
                f"({len(wrong):,} such values); expected: 0 to 1"
            )
        percent = 100 * values
    exact = mean_percent(percent.to_numpy() / 100) if values.name in _MEANS else None
    return np.asarray(percent, dtype=np.float64) if exact is None else exact
