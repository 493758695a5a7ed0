"""Extract archives completely, and never outside the target directory."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from harness.data.downloads import digest, staging_folder
from harness.errors import DataError, HarnessError

_DAMAGES = (tarfile.TarError, EOFError, zlib.error)


def extract(archive: Path, folder: str) -> Path:
    """Extract one top-level directory of a tar archive beside the archive, replacing an earlier one; returns its path.

    Members that are not plain files or directories, or that point outside the target, are refused (the filter
    ``data`` of :mod:`tarfile`, PEP 706). The directory gets its name only after everything is extracted.

    Raises:
        HarnessError: if this Python cannot extract safely.
        DataError: if the archive is damaged, has a member that points outside the target, or lacks the directory.
    """
    target = archive.parent / folder
    if not hasattr(tarfile, "data_filter"):
        raise HarnessError(
            f"Python before 3.11.4 cannot extract archives safely; update Python, or extract '{archive}' to '{target}'"
        )
    try:
        with staging_folder(archive.parent) as staging:
            with tarfile.open(archive) as tar:
                tar.extractall(staging, filter="data")
            if not (staging / folder).is_dir():
                raise DataError(f"{archive.name} has no directory '{folder}'")
            if target.exists():
                shutil.rmtree(target)
            (staging / folder).replace(target)
    except tarfile.FilterError as error:
        raise DataError(f"unsafe archive {archive.name} refused, nothing was extracted: {error}") from None
    except _DAMAGES as error:
        raise DataError(f"{archive.name} is damaged: {type(error).__name__}: {error}") from None
    except OSError as error:
        raise DataError(f"cannot extract {archive.name} to '{target}': {error.strerror or error}") from None
    return target


def differences(archive: Path, folder: str) -> Iterator[str]:
    """Yield each file of the extracted directory that differs from the archive.

    Raises:
        DataError: if the archive is damaged.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if not (member.isfile() and member.name.startswith(f"{folder}/")):
                    continue
                path = archive.parent / member.name
                content = tar.extractfile(member)
                if not path.is_file():
                    yield f"{member.name} is missing"
                elif isinstance(content, io.BufferedReader) and (
                    path.stat().st_size != member.size
                    or digest(path, "sha256") != hashlib.file_digest(content, "sha256").hexdigest()
                ):
                    yield f"{member.name} differs from the archive"
    except _DAMAGES as error:
        raise DataError(f"{archive.name} is damaged: {type(error).__name__}: {error}") from None
