"""Read a ground-truth table from CSV or Parquet; pickles are never read here."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.data.columns import check_agreement, column_key, one_of_each
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = (OSError, ValueError, EOFError, zlib.error, MemoryError, OverflowError)
"""What pandas raises for a damaged file, or one that is not a CSV table."""

_ARCHITECTURE_COLUMNS = ("architecture", "arch")
_UNNAMED = "(unnamed)"
_LONGEST_HEADER = 4096
_OTHER_KINDS = {
    b"BZh": "a bzip2 file, such as the archive's pickles",
    b"\x80": "a pickle",
    b"PK": "a zip archive",
    b"\xfd7zXZ": "an xz archive",
}


def read_table_file(path: Path, wanted: str) -> pd.DataFrame:
    """A CSV (optionally gzipped) or Parquet table, as its content shows, indexed by ``arch`` or ``architecture``.

    ``wanted`` says in messages what the file should be.

    Raises:
        DataError: if it is of another kind or damaged, has no architecture column, or two that disagree.
    """
    if path.is_dir():
        raise DataError(f"unsupported directory '{path.name}'; expected: {wanted}")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise DataError(f"{path.name} is empty; expected: {wanted}")
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(f"{path.name} is {kind}; expected: {wanted}")
    frame = _read_parquet(path) if start.startswith(b"PAR1") else read_csv(path, path.name)
    places = [place for place, column in enumerate(frame.columns) if column_key(column) in _ARCHITECTURE_COLUMNS]
    if not places:
        raise DataError(f"{path.name} has no column 'arch' or 'architecture'; it has {listed(frame.columns)}")
    for other in places[1:]:
        check_agreement(frame, places[0], other, path.name, "two columns name the architectures and")
    kept = [place for place in range(len(frame.columns)) if place not in places[1:]]
    return frame.iloc[:, kept].set_index(frame.columns[places[0]])


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise DataError(f"{path.name} is a damaged Parquet file ({one_line(str(error))})") from None
    names = [str(column).strip() for column in frame.columns]
    # pandas stores an index that does not just count the rows as a column, and restores it as the index.
    if frame.index.name is not None or not _counts_rows(frame):
        frame = frame.rename_axis(str(frame.index.name or _UNNAMED)).reset_index(allow_duplicates=True)
        names = [str(frame.columns[0]), *names]
    return one_of_each(frame, names, path.name)


def _counts_rows(frame: pd.DataFrame) -> bool:
    return frame.index.nlevels == 1 and list(frame.index[:2]) == list(range(min(2, len(frame))))


def read_csv(path: Path, name: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV table, gzipped or not, as its first bytes show.

    Blanks around column names are dropped. If rows have one field more than the header, as in tables written by R, the
    first field is an unnamed column. The columns ``text`` are read as text even if they look like numbers.

    Raises:
        DataError: if it is truncated or not such a table, or two columns with the same name disagree.
    """
    import pandas as pd

    compression: Literal["gzip"] | None = "gzip" if _is_gzipped(path) else None

    def read(**options: Any) -> pd.DataFrame:
        # Spreadsheets start a file with a byte order mark, which is not part of the first name.
        frame: pd.DataFrame = pd.read_csv(path, compression=compression, encoding="utf-8-sig", **options)
        return frame

    try:
        # pandas renames the second of two equal names, so the names are also read as a row of text.
        written = read(header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].str.strip().to_list()
        unique = read(nrows=0).columns
        if len(written) == 1 and (separator := next((each for each in ";\t" if each in written[0]), None)):
            raise DataError(f"{name} is separated by {separator!r}; expected: a comma-separated table")
        names = [column or made for column, made in zip(written, unique, strict=True)]
        texts = {made: "str" for column, made in zip(names, unique, strict=True) if column_key(column) in text}
        frame = read(low_memory=False, dtype=texts)
    except UNREADABLE as error:
        cause = one_line(str(error))
        raise DataError(f"{name} is truncated, or not a CSV or Parquet table ({cause})") from None
    if frame.index.nlevels > 1:
        raise DataError(f"{name} has rows with {frame.index.nlevels} fields more than its header")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.rename_axis(_UNNAMED).reset_index()
        names = [_UNNAMED, *names]
    return one_of_each(frame, names, name)


def header_of(path: Path) -> list[str]:
    """The column names in the first line of a CSV table, gzipped or not; none if it cannot be read."""
    if not path.is_file():
        return []
    try:
        with gzip.open(path) if _is_gzipped(path) else path.open("rb") as file:
            line = file.read(_LONGEST_HEADER).partition(b"\n")[0]
    except (OSError, EOFError, zlib.error):
        return []
    names = line.decode("utf-8-sig", errors="replace").replace('"', "").split(",")
    return [name.strip() for name in names]


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def sha256_of(source: Path) -> str:
    """The SHA-256 of a file; for a directory, of the lines ``sha256  name`` of its files, sorted by name."""
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
        listing = "".join(f"{sha256_of(path)}  {path.relative_to(source).as_posix()}\n" for path in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
