"""The content of a file that may be compressed: gzip, bzip2, xz, zstd, or a zip archive with one table."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.errors import DataError

DAMAGES = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, MemoryError, RuntimeError, ValueError)
"""What the readers raise for a damaged file; a zip archive with a password is a RuntimeError."""

_EXCEL = "xl/workbook.xml"


def _zstd(file: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(file, "zstd")


_COMPRESSED: dict[bytes, tuple[str, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\0": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}
_OTHER_KINDS = {
    b"\x80": "a pickle",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"\x93NUMPY": "a numpy array without the names of its columns",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database; for the scores of a run, give its directory",
    b"%PDF": "a PDF document",
    b"<!DOCTYPE": "a web page, perhaps saved in place of the file",
    b"<html": "a web page, perhaps saved in place of the file",
}


def content_of(path: Path, wanted: str, most: int = -1) -> bytes:
    """The uncompressed content of a file, as its first bytes show, whatever its name.

    Args:
        path: the file.
        wanted: what the file should be, for messages.
        most: the number of bytes to read; default: all.

    Raises:
        DataError: if it is empty, damaged, or of a kind that holds no table.
    """
    if path.is_dir():
        raise DataError(f"unsupported directory '{path.name}'; expected: {wanted}")
    if not path.is_file():
        raise DataError(f"no such file: '{path}'; expected: {wanted}")
    kind = "file"
    try:
        with path.open("rb") as file:
            start = file.read(512)
            file.seek(0)
            if start.startswith(b"PK\3\4"):
                kind = "zip archive"
                content = _only_member(file, path.name, wanted, most)
            else:
                found = next((each for magic, each in _COMPRESSED.items() if start.startswith(magic)), None)
                if found is None:
                    content = file.read(most)
                else:
                    kind = f"{found[0]} file"
                    with found[1](file) as opened:
                        content = opened.read(None if most < 0 and found[0] == "zstd" else most)
    except DataError:
        raise
    except DAMAGES as error:
        cause = one_line(str(error)) or type(error).__name__
        words = f"truncated, or not a CSV or Parquet table: a damaged {kind}"
        raise DataError(f"{path.name} is {words} ({cause})") from None
    if not content:
        raise DataError(f"{path.name} is empty; expected: {wanted}")
    for magic, other in _OTHER_KINDS.items():
        if content.startswith(magic):
            raise DataError(f"{path.name} is {other}; expected: {wanted}")
    if content[257:262] == b"ustar":
        raise DataError(f"{path.name} is a tar archive; extract it; expected: {wanted}")
    return content


def _only_member(file: IO[bytes], name: str, wanted: str, most: int) -> bytes:
    """The content of the only file in a zip archive; hidden files and those that macOS adds do not count."""
    with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        every = [member for member in archive.namelist() if not member.endswith("/")]
        members = [each for each in every if not each.startswith("__MACOSX/") and not Path(each).name.startswith(".")]
        if _EXCEL in members:
            raise DataError(f"{name} is an Excel workbook; save the sheet as CSV; expected: {wanted}")
        if any(Path(member).name == "data.pkl" for member in members):
            raise DataError(f"{name} is a PyTorch file; expected: {wanted}")
        if len(members) != 1:
            files = f"{len(members)} files ({listed(members)})"
            raise DataError(f"{name} is a zip archive with {files}; expected: one table")
        with archive.open(members[0]) as member:
            return member.read(most)
