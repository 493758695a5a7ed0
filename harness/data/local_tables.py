"""The local store of ground truth: one compact Parquet file per benchmark.

A table has one row per architecture. Its columns are named ``dataset/split/epochs`` (float32 accuracies) and
``dataset/params`` (int64). The file's metadata describe its source and each column. The tables are in
``$HARNESS_DATA`` or, if that is not set, in the user's data directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.json_text import json_checksum, parse_json
from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.contracts.ground_truth import GroundTruth
from harness.data.checksum import column_checksum, table_checksum
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

SCHEMA_VERSION = 1
ARCHITECTURE = "architecture"
_METADATA_KEY = b"nas-proxy-harness"
_CHECKSUM_KEY = b"nas-proxy-harness-checksum"
_PARTS_KEY = b"nas-proxy-harness-checksums"
"""Checksums of each part that is read separately, as JSON: columns, metadata and the number of rows."""


@dataclass(frozen=True)
class TableMetadata:
    """Description of a table.

    Attributes:
        benchmark: the benchmark's name.
        source: a description of what was imported.
        sha256: SHA-256 of the imported file; for a directory, of the lines ``sha256  name`` of its files, sorted by
            name.
        seeds: how trainings of one architecture are combined.
        columns: each column with its meaning.
        schema: the version of this layout.
    """

    benchmark: str
    source: str
    sha256: str
    seeds: str
    columns: dict[str, str]
    schema: int = SCHEMA_VERSION


def data_home() -> Path:
    """The directory of the tables: ``$HARNESS_DATA``, or the user's data directory."""
    named = os.environ.get("HARNESS_DATA")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("nas-proxy-harness"))


def table_path(benchmark: str) -> Path:
    """The path of a benchmark's table, whether or not it exists."""
    return data_home() / f"{benchmark}.parquet"


def read_table(benchmark: str, columns: Sequence[str] | None = None, obtain: str = "") -> pd.DataFrame:
    """The ground truth of a benchmark, indexed by architecture; reads only the requested columns.

    Args:
        benchmark: the benchmark's name.
        columns: the columns to read; default: all.
        obtain: what FILE is and where to get it, for the message that the table is missing.

    Raises:
        DataError: if the table is missing, damaged or of another version, or lacks a column.
    """
    import pyarrow.parquet as pq

    path = _existing_table(benchmark, obtain)
    with _damage_named(benchmark), pq.ParquetFile(path, page_checksum_verification=True) as file:
        metadata = _decode_metadata(file.schema_arrow, benchmark)
        absent = [name for name in columns or () if name not in metadata.columns]
        if absent:
            raise DataError(
                f"the table of {benchmark} has no column '{absent[0]}'; it has {listed(metadata.columns)}. "
                f"Import a file with this column: harness data import {benchmark} FILE"
            )
        wanted = list(metadata.columns if columns is None else columns)
        lost = [name for name in (ARCHITECTURE, *wanted) if name not in file.schema_arrow.names]
        if lost:
            raise _damaged(benchmark, f"its column '{lost[0]}' is missing")
        table = file.read(columns=[ARCHITECTURE, *wanted], use_threads=False)
        _check_columns(table, file.schema_arrow, benchmark)
    frame: pd.DataFrame = table.to_pandas().set_index(ARCHITECTURE)[wanted]
    return frame


def read_metadata(benchmark: str, obtain: str = "") -> TableMetadata:
    """The metadata of a benchmark's table; raises the same errors as :func:`read_table`."""
    return _decode_metadata(_schema(benchmark, obtain), benchmark)


def table_ground_truth(
    benchmark: str,
    dataset: str,
    split: str,
    epochs: int | str,
    *,
    seeds: str,
    obtain: str,
    metric: str = "top-1 accuracy (%)",
    higher_is_better: bool = True,
    table: str | None = None,
    partial: bool = False,
) -> GroundTruth:
    """The column ``dataset/split/epochs`` of a ground-truth table, as a :class:`GroundTruth`.

    Args:
        benchmark: the benchmark's name.
        dataset: the data set.
        split: the split that accuracies were measured on.
        epochs: the length of training, or the name of an epoch.
        seeds: how trainings of one architecture are combined.
        obtain: what FILE is and where to get it, for the message that the table is missing.
        metric: what was measured, with its unit.
        higher_is_better: its direction.
        table: the name of the table; default: the benchmark's.
        partial: whether networks may lack a value; they are left out.

    Raises:
        DataError: if the table is missing, damaged or of another version, or lacks the column.
    """
    table = table or benchmark
    column = f"{dataset}/{split}/{epochs}"
    accuracy = read_table(table, [column], obtain)[column].astype("float64")
    return GroundTruth(
        benchmark=benchmark,
        dataset=dataset,
        split=split,
        epochs=epochs,
        seeds=seeds,
        metric=metric,
        higher_is_better=higher_is_better,
        source=read_metadata(table, obtain).source,
        accuracy=accuracy.dropna() if partial else accuracy,
        partial=partial,
    )


def write_table(frame: pd.DataFrame, metadata: TableMetadata) -> Path:
    """Store a table, indexed by architecture, and replace the benchmark's existing one.

    The file is written under a temporary name and renamed when complete, so a failure keeps the existing table.

    Raises:
        DataError: if it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = table_path(metadata.benchmark)
    table = pa.Table.from_pandas(frame.rename_axis(ARCHITECTURE).reset_index(), preserve_index=False)
    stated = {_METADATA_KEY: json.dumps(asdict(metadata)).encode(), _CHECKSUM_KEY: table_checksum(frame).encode()}
    parts = {
        "rows": len(table),
        "metadata": _metadata_checksum(stated),
        "columns": {name: column_checksum(name, table[name]) for name in table.column_names},
    }
    parts["checksum"] = json_checksum(parts, "checksum")
    table = table.replace_schema_metadata({**stated, _PARTS_KEY: json.dumps(parts).encode()})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, write_page_checksum=True)
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write the table of {metadata.benchmark} to '{path.parent}': {error.strerror or error}; "
            "set another directory with $HARNESS_DATA"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def stored_checksum(benchmark: str) -> str | None:
    """The checksum of the table's content, stored by the import; None for tables from older versions without one.

    Raises:
        DataError: if the table is missing or damaged.
    """
    schema = _schema(benchmark)
    _parts(schema, benchmark)
    checksum = (schema.metadata or {}).get(_CHECKSUM_KEY)
    return None if checksum is None else checksum.decode("ascii", errors="replace")


def row_count(benchmark: str) -> int:
    """The number of architectures in a benchmark's table, from the file's metadata alone.

    Raises:
        DataError: if the table is missing or damaged.
    """
    import pyarrow.parquet as pq

    parts = _parts(_schema(benchmark), benchmark)
    with _damage_named(benchmark):
        rows = int(pq.read_metadata(table_path(benchmark)).num_rows)
    if parts is not None and parts["rows"] != rows:
        raise _damaged(benchmark, f"it has {rows:,} rows, but {parts['rows']:,} were imported")
    return rows


@contextlib.contextmanager
def _damage_named(benchmark: str) -> Iterator[None]:
    """Name the table that is damaged where its file cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise _damaged(benchmark, str(error)) from None


def _schema(benchmark: str, obtain: str = "") -> pyarrow.Schema:
    import pyarrow.parquet as pq

    path = _existing_table(benchmark, obtain)
    with _damage_named(benchmark):
        return pq.read_schema(path)


def _metadata_checksum(metadata: Mapping[bytes, bytes]) -> str:
    content = b"\0".join(metadata.get(key, b"") for key in (_METADATA_KEY, _CHECKSUM_KEY))
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _parts(schema: pyarrow.Schema, benchmark: str) -> dict[str, Any] | None:
    """The checksums of a table's parts; None for tables from older versions without them."""
    metadata = schema.metadata or {}
    if _PARTS_KEY not in metadata:
        return None
    try:
        parts: dict[str, Any] = parse_json(metadata[_PARTS_KEY])
        sound = parts["checksum"] == json_checksum(parts, "checksum")
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound or parts["metadata"] != _metadata_checksum(metadata):
        raise _damaged(benchmark, "checksum mismatch in its metadata")
    return parts


def _check_columns(table: pyarrow.Table, schema: pyarrow.Schema, benchmark: str) -> None:
    """Refuse a table if a column that was read does not match its checksum."""
    parts = _parts(schema, benchmark)
    if parts is None:
        return
    for name in table.column_names:
        if column_checksum(name, table[name]) != parts["columns"].get(name):
            raise _damaged(benchmark, f"checksum mismatch in its column '{name}'")


def _existing_table(benchmark: str, obtain: str) -> Path:
    path = table_path(benchmark)
    if not path.is_file():
        where = f" ({obtain})" if obtain else ""
        raise DataError(
            f"no ground truth of {benchmark} in '{path.parent}'; "
            f"import it with: harness data import {benchmark} FILE{where}"
        )
    return path


def _decode_metadata(schema: pyarrow.Schema, benchmark: str) -> TableMetadata:
    encoded = (schema.metadata or {}).get(_METADATA_KEY)
    if encoded is None:
        raise _damaged(benchmark, "it was not written by 'harness data import'")
    try:
        fields = parse_json(encoded)
        version, owner = fields["schema"], fields["benchmark"]
        metadata = TableMetadata(**fields) if version == SCHEMA_VERSION else None
    except (ValueError, KeyError, TypeError):
        raise _damaged(benchmark, "its metadata cannot be read") from None
    if metadata is None:
        raise _damaged(benchmark, f"its layout version is {version}, but this harness needs {SCHEMA_VERSION}")
    if owner != benchmark:
        raise _damaged(benchmark, f"it contains the ground truth of {owner}")
    _parts(schema, benchmark)
    return metadata


def _damaged(benchmark: str, cause: str) -> DataError:
    return DataError(
        f"cannot use '{table_path(benchmark)}': {one_line(cause)}; import it again: "
        f"harness data import {benchmark} FILE"
    )
