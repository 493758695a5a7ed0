"""The files that the ground truth is read from: the published archive, and tables with the same fields."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness._utils.json_text import parse_json
from harness.data.columns import column_key
from harness.data.table_files import header_of, read_frame
from harness.errors import DataError, HarnessError
from harness_benchmarks.accel_nasbench.architecture import COLUMNS, of_columns, of_fields, parse
from harness_benchmarks.accel_nasbench.costs import MEASURED
from harness_benchmarks.accel_nasbench.sizes import sizes

if TYPE_CHECKING:
    import pandas as pd

TOP1, TOP5 = "imagenet-1k/val/16", "imagenet-1k/val-top5/16"
PARAMETERS = "imagenet-1k/params"
SIDE, CLASSES = 224, 1000

NETWORKS = 5125
"""Number of networks; the published data have 5,138 trainings, because 13 networks were trained twice."""

_NETWORKS_SHA256 = "2cf550cc098c8ca4fcafb577b798b8bdf8a630b810c8cf2b535a45599f2b9973"
"""SHA-256 of all architectures, sorted, one per line."""

_MILLIONS, _OPERATIONS = "params", "macs"
_RESULT = re.compile(r"(?:.*/)?result_(\d+)\.json")
_LONGEST_RECORD = 1 << 16
_GZIP, _TAR = b"\x1f\x8b", b"ustar"
_RENAMED = {
    "valtop1": TOP1,
    "valtop5": TOP5,
    "params": _MILLIONS,
    "paramsm": _MILLIONS,
    "macs": _OPERATIONS,
    "macsm": _OPERATIONS,
    **{column_key(column): column for column in MEASURED},
}
"""The names of columns in tables of the published data."""


class ArchiveReader:
    """Reads ``anb_dataset_jsons.tar.gz``, or the folder in it, with one JSON record ``result_….json`` per training."""

    def accepts(self, source: Path) -> bool:
        """Whether it is a tar archive, or a folder with such a record."""
        if source.is_dir():
            return any(_RESULT.fullmatch(path.name) for path in source.iterdir())
        return tarfile.is_tarfile(source)

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """One row per network; see :func:`by_network`.

        Raises:
            DataError: if the archive is damaged, or a record is not one of this benchmark; the message names it.
        """
        import pandas as pd

        records = dict(_records_of_folder(source) if source.is_dir() else _records_of_archive(source))
        if not records:
            raise DataError(f"{source.name} has no records result_0.json, result_1.json, …")
        rows = [_row(records[number], f"{source.name}: result_{number}.json") for number in sorted(records)]
        return by_network(pd.DataFrame(rows).set_index("arch"), source.name)


class FieldsReader:
    """Reads a table with the 28 columns ``e0``, ``k0``, ``l0``, ``se0`` to ``se6`` and the published measurements.

    Columns are named as in the published records, ``params`` and ``macs`` in millions.
    """

    def accepts(self, source: Path) -> bool:
        """Whether the first line names such columns."""
        return _places({column_key(column) for column in header_of(source)}) is not None

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """One row per network; see :func:`by_network`.

        Raises:
            DataError: if a row does not describe a network of this benchmark.
        """
        frame = read_frame(source)
        keys = {column_key(column): column for column in frame.columns}
        described = [keys[key] for key in _places(set(keys)) or ()]
        names = list[str]()
        for number, fields in enumerate(frame[described].itertuples(index=False), start=1):
            name = of_columns(" ".join(map(str, fields)))
            if name is None:
                raise DataError(f"{source.name}: row {number:,} is not a network of accel-nasbench: {_told(fields)}")
            names.append(name)
        table = frame.drop(columns=described).set_axis(names, axis="index")
        return by_network(table.rename(columns=lambda name: _RENAMED.get(column_key(name), name)), source.name)


def by_network(trainings: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row per network from one per training, indexed by architecture: means of all numbers.

    Args:
        trainings: the columns of the format, and ``params`` and ``macs`` in millions, if there are any.
        name: the source's name, for messages.

    Raises:
        DataError: if the sizes are not those of the networks.
    """
    import pandas as pd

    numbers = trainings.apply(pd.to_numeric, errors="coerce")
    wrong = (numbers.isna() & trainings.notna()).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        values = trainings.iloc[:, column]
        raise DataError(
            f"{name}: '{values.name}' is '{values.iloc[row]}', which is not a number, for '{trainings.index[row]}'"
        )
    counted = [sizes(str(architecture), SIDE, CLASSES) for architecture in numbers.index]
    for column, expected, what in (
        (_MILLIONS, [each.params for each in counted], "parameters"),
        (_OPERATIONS, [each.stored for each in counted], "operations"),
    ):
        if column in numbers.columns:
            _check_size(numbers[column], np.array(expected), what, name)
    if _MILLIONS in numbers.columns:
        numbers[PARAMETERS] = [each.params for each in counted]
    kept = numbers.drop(columns=[_MILLIONS, _OPERATIONS], errors="ignore")
    means: pd.DataFrame = kept.groupby(level=0, sort=False).mean()
    return means


def describe_networks(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """What was measured of each network on accelerators, float32; NaN where it was not.

    Raises:
        DataError: if an architecture is not one of this benchmark, a complete table has others than the published
            ones, or a measurement is not a positive number.
    """
    import pandas as pd

    for architecture in frame.index:
        try:
            parse(str(architecture))
        except HarnessError as error:
            raise DataError(f"{name}: {error} (in '{architecture}')") from None
    if frame.index.is_unique and len(frame) == NETWORKS and _fingerprint(frame.index) != _NETWORKS_SHA256:
        raise DataError(f"{name} has {NETWORKS:,} networks of accel-nasbench, but other ones than were published")
    columns = {column: _measurements(frame[column], name) for column in MEASURED if column in frame.columns}
    return pd.DataFrame(columns, index=frame.index)


def parameter_counts(architectures: Sequence[str]) -> NDArray[np.int64]:
    """Each network's number of parameters, int64, (len(architectures),); see :mod:`.sizes`."""
    return np.array([sizes(each, SIDE, CLASSES).params for each in architectures], dtype=np.int64)


def _fingerprint(architectures: Sequence[str] | pd.Index) -> str:
    return hashlib.sha256("\n".join(sorted(architectures)).encode()).hexdigest()


def _measurements(values: pd.Series[float], name: str) -> NDArray[np.float32]:
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero((np.isnan(numbers) & values.notna().to_numpy()) | (numbers <= 0) | np.isinf(numbers))
    if len(wrong):
        raise DataError(
            f"{name}: column '{values.name}' has '{values.iloc[wrong[0]]}' for '{values.index[wrong[0]]}' "
            f"({len(wrong):,} such values); expected: a positive number, or nothing where it was not measured"
        )
    return numbers.astype(np.float32)


def _check_size(millions: pd.Series[float], expected: NDArray[np.int64], what: str, name: str) -> None:
    found = (millions * 1e6).round().to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"{name}: '{millions.index[row]}' has {found[row]:,.0f} {what}, but the network has {expected[row]:,} "
            f"({len(wrong):,} rows differ): this table belongs to another benchmark or another network"
        )


def _records_of_archive(source: Path) -> Iterator[tuple[int, Any]]:
    """The records of a tar archive by their numbers, read in memory; nothing is extracted."""
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                found = _RESULT.fullmatch(member.name)
                if found is None or not member.isfile():
                    continue
                if member.size > _LONGEST_RECORD:
                    raise DataError(f"{source.name}: {member.name} has {member.size:,} bytes; a record is far shorter")
                content = archive.extractfile(member)
                yield int(found[1]), _parsed(content.read() if content else b"", f"{source.name}: {member.name}")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{source.name} is truncated or damaged ({type(error).__name__}: {error})") from None


def _records_of_folder(source: Path) -> Iterator[tuple[int, Any]]:
    for path in source.iterdir():
        found = _RESULT.fullmatch(path.name)
        if found is not None:
            yield int(found[1]), _parsed(path.read_bytes(), f"{source.name}: {path.name}")


def _parsed(content: bytes, place: str) -> Any:
    try:
        return parse_json(content)
    except ValueError as error:
        raise DataError(f"{place} is truncated, or not JSON ({error})") from None


def _row(record: Any, place: str) -> dict[str, Any]:
    """The row of one training: its architecture, accuracies, sizes and measurements."""
    fields = _part(record, "architecture", place)
    name = of_fields(", ".join(f"{key}: {value}" for key, value in fields.items()))
    if name is None:
        raise DataError(f"{place} does not describe a network of accel-nasbench: {_told(fields.items())}")
    metrics, info = _part(record, "metrics", place), _part(record, "model_info", place)
    row = {"arch": name, TOP1: metrics.get("val_top1"), TOP5: metrics.get("val_top5")}
    row |= {_MILLIONS: info.get("params"), _OPERATIONS: info.get("macs")}
    for column, performance in _part(record, "platform_perf", place).items():
        kind = column.partition("_")[0]
        if column in MEASURED and isinstance(performance, dict):
            row[column] = performance.get(f"{kind}_mean")
    missing = [column for column in (TOP1, TOP5) if row[column] is None]
    if missing:
        raise DataError(f"{place} has no accuracy for {missing[0]}")
    return row


def _part(record: Any, key: str, place: str) -> dict[str, Any]:
    part = record.get(key) if isinstance(record, dict) else None
    if not isinstance(part, dict):
        raise DataError(f"{place} has no '{key}'; it is not a record of Accel-NASBench")
    return part


def _places(keys: set[str]) -> list[str] | None:
    """The keys of the 28 columns, each by one of its names; None if one is missing."""
    found = [next((key for key in names if key in keys), None) for names in COLUMNS]
    return None if None in found else [str(key) for key in found]


def _told(fields: Any) -> str:
    text = ", ".join(map(str, fields))
    return text if len(text) <= 120 else f"{text[:119]}…"
