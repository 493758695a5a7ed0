"""Read a table as people write it: CSV, JSON, Parquet or Feather, compressed or not; pickles are never read here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.data.columns import check_agreement, column_key, one_of_each
from harness.data.table_contents import content_of
from harness.data.table_json import looks_like_json, read_json
from harness.data.table_text import UNNAMED, decoded, names_of, read_text
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_ARCHITECTURE_COLUMNS = ("architecture", "arch")
_OTHER_ARCHITECTURE_COLUMNS = (
    "netstr",
    "archstr",
    "architecturestr",
    "net",
    "hash",
    "modulehash",
    "opindices",
    "genotype",
    "archindex",
    "architectureindex",
    "index",
)
"""Names of a column of architectures where there is no column of the first two names; the first of them counts."""

_LONGEST_HEADER = 4096
_FEWEST_TOLD = 20
TABLE = "a table (CSV, JSON, Parquet or Feather)"


def read_frame(
    path: Path,
    name: str | None = None,
    *,
    wanted: str = TABLE,
    text: Sequence[str] = (),
    section: str | None = None,
    columns: Collection[str] = (),
    notes: list[str] | None = None,
) -> pd.DataFrame:
    """The one reader of tables: what the file is shows in its content, not in its name.

    Text may be in UTF-8 or UTF-16, separated by commas, semicolons or tabs, with decimal commas; files may be
    compressed with gzip, bzip2, xz or zstd, or alone in a zip archive. An index that does not just count the rows
    becomes the first column.

    Args:
        path: the file.
        name: what messages call it; default: the file's name.
        wanted: what the file should be, for messages.
        text: columns to read as text even if they look like numbers, as by :func:`~harness.data.columns.column_key`.
        section: the data set, for a JSON file with several.
        columns: further keys that are known to name columns, for JSON files that do not show it.
        notes: what was unusual about the file is added to it, in a few words each.

    Raises:
        DataError: if it is of another kind, damaged or ambiguous, or has two columns of one name that disagree.
    """
    told: list[str] = [] if notes is None else notes
    name = name or path.name
    content = content_of(path, wanted)
    if content.startswith((b"PAR1", b"ARROW1", b"FEA1")):
        frame = _read_binary(content, name)
    else:
        read = decoded(content, name, told)
        if looks_like_json(read):
            known = {*_ARCHITECTURE_COLUMNS, *_OTHER_ARCHITECTURE_COLUMNS, *columns}
            frame = _with_index(read_json(read, name, known, section, path.name.partition(".")[0]), name)
        else:
            frame = read_text(read, name, text, told)
    told += [
        f"column '{column}' has float16 values, with three significant digits"
        for column, values in frame.items()
        if _is_half(values)
    ]
    return frame


def read_table_file(path: Path, wanted: str = TABLE, **options: Any) -> pd.DataFrame:
    """A table as by :func:`read_frame`, indexed by its column or index of architectures.

    Raises:
        DataError: as :func:`read_frame`, or if it has no column of architectures, or two that disagree.
    """
    frame = read_frame(path, wanted=wanted, **options)
    return by_architecture(frame, str(options.get("name") or path.name))


def with_index(frame: pd.DataFrame, name: str, *, numbers: bool = False) -> pd.DataFrame:
    """A data frame whose index names the architectures, with the index as a column ``arch``.

    An unnamed index of numbers names none; with ``numbers``, it does if it does not just count the rows and no column
    names them.

    Raises:
        DataError: if the index has several levels, or two columns of one name disagree.
    """
    if frame.index.nlevels > 1:
        raise DataError(f"{name} has an index of {frame.index.nlevels} levels; expected: one row per architecture")
    counts = frame.index.name is None and frame.index.dtype.kind in "iuf"
    if counts and numbers and not _counts_rows(frame):
        counts = place_of_architectures(frame) is not None
    named = frame.reset_index(drop=True) if counts else frame.reset_index(names="arch", allow_duplicates=True)
    return one_of_each(named, [str(column).strip() for column in named.columns], name)


def place_of_architectures(frame: pd.DataFrame) -> int | None:
    """The place of the column ``architecture`` or ``arch``, else of another that names architectures; None: neither."""
    keys = [column_key(column) for column in frame.columns]
    for known in (_ARCHITECTURE_COLUMNS, _OTHER_ARCHITECTURE_COLUMNS):
        places = [keys.index(key) for key in known if key in keys]
        if places:
            place = min(places) if known is _ARCHITECTURE_COLUMNS else places[0]
            return None if keys[place] == "index" and _counts(frame.iloc[:, place]) else place
    return 0 if keys[:1] == [column_key(UNNAMED)] and not _is_numeric(frame.iloc[:, 0]) else None


def by_architecture(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table, indexed by the column ``architecture`` or ``arch``, else by another that names architectures.

    Raises:
        DataError: if there is none, there are two that disagree, or a row names no architecture.
    """
    place = place_of_architectures(frame)
    if place is None:
        raise DataError(f"{name} has no column 'arch' or 'architecture'; it has {listed(frame.columns)}")
    keys = [column_key(column) for column in frame.columns]
    others = [other for other, key in enumerate(keys) if key in _ARCHITECTURE_COLUMNS and other != place]
    for other in others:
        check_agreement(frame, place, other, name, "two columns name the architectures and")
    missing = frame.iloc[:, place].isna().to_numpy()
    if missing.any():
        raise DataError(f"row {int(missing.argmax()) + 1:,} of {name} names no architecture")
    kept = [each for each in range(len(frame.columns)) if each not in others]
    return frame.iloc[:, kept].set_index(frame.columns[place])


def _read_binary(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import feather

    kind, read = ("Parquet", pq.read_table) if content.startswith(b"PAR1") else ("Feather", feather.read_table)
    try:
        frame: pd.DataFrame = read(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise DataError(f"{name} is a damaged {kind} file ({one_line(str(error))})") from None
    for place, column in enumerate(frame.columns):
        values = frame.iloc[:, place]
        if values.dtype == object and any(isinstance(value, np.ndarray | list) for value in values[:1]):
            listed_values = [str(np.asarray(value).tolist()) for value in values]
            frame[column] = listed_values
    return _with_index(frame, name)


def _with_index(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The index as the first column, unless it just counts the rows."""
    names = [str(column).strip() for column in frame.columns]
    # pandas stores an index that does not just count the rows as a column, and restores it as the index.
    if frame.index.name is not None or not _counts_rows(frame):
        frame = frame.rename_axis(str(frame.index.name or UNNAMED)).reset_index(allow_duplicates=True)
        names = [str(frame.columns[0]), *names]
    else:
        frame = frame.reset_index(drop=True)
    return one_of_each(frame, names, name)


def _counts_rows(frame: pd.DataFrame) -> bool:
    if frame.index.nlevels != 1:
        return False
    start = list(frame.index[:2])
    return start in (list(range(min(2, len(frame)))), [str(number) for number in range(min(2, len(frame)))])


def _is_numeric(values: pd.Series[Any]) -> bool:
    return values.dtype.kind in "biuf"


def _counts(values: pd.Series[Any]) -> bool:
    """Whether a column counts the rows, so that it need not be the number of an architecture."""
    return values.tolist() in (list(range(len(values))), list(range(1, len(values) + 1)))


def _is_half(values: pd.Series[Any]) -> bool:
    """Whether numbers are in half precision, or were when they were written as text."""
    if values.dtype == np.float16:
        return True
    if values.dtype.kind != "f":
        return False
    numbers = values.to_numpy(np.float64)
    numbers = np.unique(numbers[np.isfinite(numbers) & (np.abs(numbers) < np.finfo(np.float16).max)])
    halves = numbers.astype(np.float16)
    if not np.all(np.isclose(numbers, halves.astype(np.float64), rtol=1e-3, atol=0)):
        return False
    # From 16 on, half precision does not have all numbers with two decimals.
    telling = (np.abs(numbers) >= 16) & (np.abs(10 * numbers - np.round(10 * numbers)) > 1e-6)
    if telling.sum() < _FEWEST_TOLD:
        return False
    return all(number in (float(half), float(str(half))) for number, half in zip(numbers, halves, strict=True))


def header_of(path: Path) -> list[str]:
    """The column names in the first line of a text table, compressed or not; none if it cannot be read."""
    if not path.is_file():
        return []
    try:
        content = content_of(path, TABLE, _LONGEST_HEADER)
        whole = content.rpartition(b"\n")[0] or content
        return names_of(decoded(whole[: len(whole) // 2 * 2] if b"\0" in whole else whole, path.name, []))
    except DataError:
        return []


def sha256_of(source: Path) -> str:
    """The SHA-256 of a file; for a directory, of the lines ``sha256  name`` of its files, sorted by name."""
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
        listing = "".join(f"{sha256_of(path)}  {path.relative_to(source).as_posix()}\n" for path in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
