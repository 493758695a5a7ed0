"""Extracting archives: nothing is written outside the folder, and what is extracted is whole."""

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
    """Extract one folder of a tar archive beside the archive, in place of a former one.

    Members that are no plain files or folders, or that lead elsewhere, are refused (the filter ``data`` of
    :mod:`tarfile`, PEP 706), and the folder takes its name only when all of it is extracted.

    Args:
        archive: the archive.
        folder: the folder at its top.

    Returns:
        The extracted folder.

    Raises:
        HarnessError: if this Python cannot extract safely.
        DataError: if the archive is damaged, holds a member that leads elsewhere, or lacks the folder.
    """
    target = archive.parent / folder
    if not hasattr(tarfile, "data_filter"):
        raise HarnessError(
            f"Python before 3.11.4 cannot extract safely; extract '{archive}' yourself, so that it gives '{target}'"
        )
    try:
        with staging_folder(archive.parent) as staging:
            with tarfile.open(archive) as tar:
                tar.extractall(staging, filter="data")
            if not (staging / folder).is_dir():
                raise DataError(f"{archive.name} holds no folder '{folder}'")
            if target.exists():
                shutil.rmtree(target)
            (staging / folder).replace(target)
    except tarfile.FilterError as error:
        raise DataError(f"{archive.name} is refused, nothing of it was kept: {error}") from None
    except _DAMAGES as error:
        raise DataError(f"{archive.name} is damaged: {type(error).__name__}: {error}") from None
    except OSError as error:
        raise DataError(f"{archive.name} cannot be extracted to '{target}': {error.strerror or error}") from None
    return target


def differences(archive: Path, folder: str) -> Iterator[str]:
    """What of the extracted folder is not as the archive has it, file by file.

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
                    yield f"{member.name} is not what the archive holds"
    except _DAMAGES as error:
        raise DataError(f"{archive.name} is damaged: {type(error).__name__}: {error}") from None
