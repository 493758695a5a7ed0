"""Reading a table of ground truth from CSV or Parquet; pickles are never read here."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = (OSError, ValueError, EOFError, zlib.error, MemoryError, OverflowError)
"""What pandas raises for a file that is no CSV table, perhaps a compressed one, or a damaged one."""

_ARCHITECTURE_COLUMNS = ("architecture", "arch")
_OTHER_KINDS = {
    b"BZh": "a bzip2 file, such as the archive's pickles",
    b"\x80": "a pickle",
    b"PK": "a zip archive",
    b"\xfd7zXZ": "an xz archive",
}


def read_table_file(path: Path, wanted: str) -> pd.DataFrame:
    """A CSV (perhaps gzipped) or Parquet table, indexed by its column ``arch`` or ``architecture``.

    Args:
        path: the file; its kind is told by its contents.
        wanted: what the file should be, for the messages.

    Raises:
        DataError: if it is of another kind, damaged, or has no column of architectures.
    """
    if path.is_dir():
        raise DataError(f"the folder '{path.name}' is no archive that this reads; wanted: {wanted}")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise DataError(f"{path.name} is empty; wanted: {wanted}")
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(f"{path.name} is {kind}; wanted: {wanted}")
    frame = _read_parquet(path) if start.startswith(b"PAR1") else read_csv(path, path.name)
    column = next((name for name in _ARCHITECTURE_COLUMNS if name in frame.columns), None)
    if column is None:
        raise DataError(
            f"{path.name} has no column 'arch' or 'architecture'; it has {', '.join(map(str, frame.columns))}"
        )
    return frame.set_index(column)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise DataError(f"{path.name} is a damaged Parquet file ({' '.join(str(error).split())})") from None
    return frame


def read_csv(path: Path, name: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """A CSV table, perhaps gzipped, which its first bytes tell.

    Args:
        path: the file.
        name: what messages call it.
        text: columns that are text though they may look like numbers.

    Raises:
        DataError: under the given name, if it is truncated or no such table.
    """
    import pandas as pd

    with path.open("rb") as file:
        compression: Literal["gzip"] | None = "gzip" if file.read(2) == b"\x1f\x8b" else None
    try:
        return pd.read_csv(
            path, compression=compression, encoding="utf-8", low_memory=False, dtype=dict.fromkeys(text, "str")
        )
    except UNREADABLE as error:
        cause = " ".join(str(error).split())
        raise DataError(f"{name} is truncated, or no CSV or Parquet table ({cause})") from None


def sha256_of(source: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the lines ``sha256  name`` of its files, sorted by name."""
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
        listing = "".join(f"{sha256_of(path)}  {path.relative_to(source).as_posix()}\n" for path in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
