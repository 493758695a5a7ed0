"""Download declared files: completely and with the published checksum, or not at all.

A file is downloaded into a directory ``.part``. It gets its final name only after its checksum was verified, so an
interrupted download never leaves an incomplete file under that name.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness._utils.sizes import readable_size
from harness.data.local_tables import data_home
from harness.data.sources import Download
from harness.errors import DataError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_STAGING = ".part"
_ABANDONED_SECONDS = 3600
_CHUNK_BYTES = 1 << 16

State = Literal["absent", "whole", "unchecked", "damaged"]
"""The state of a file: ``unchecked`` means that it exists but has no published checksum."""


def downloads_home(directory: Path | None = None) -> Path:
    """The download directory: the given one, or ``downloads`` beside the tables."""
    return data_home() / "downloads" if directory is None else directory.expanduser()


def digest(path: Path, algorithm: str) -> str:
    """A file's checksum by an algorithm of :mod:`hashlib`, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def state(download: Download, folder: Path) -> State:
    """The state of a declared file in its directory."""
    path = folder / download.filename
    if not path.is_file():
        return "absent"
    if download.checksum is None:
        return "unchecked"
    algorithm, _, published = download.checksum.partition(":")
    return "whole" if digest(path, algorithm) == published else "damaged"


def fetch(download: Download, folder: Path, by_hand: str, say: Callable[[str], None]) -> None:
    """Download a declared file, unless a complete copy exists; ``say`` is called with each line of output.

    ``by_hand`` says in messages what to do with a file that was obtained in another way.

    Raises:
        DataError: if it cannot be downloaded, does not match the published checksum, or cannot be written.
    """
    path = folder / download.filename
    found = state(download, folder)
    if found in ("whole", "unchecked"):
        say(f"{path} already exists")
        return
    if found == "damaged":
        say(f"checksum mismatch: {path} is downloaded again")
    try:
        with staging_folder(folder) as staging:
            advice = f"download it yourself, save it as '{path}' and repeat the command{by_hand}"
            part = _retrieve(download, staging, advice)
            _open_as_the_umask_allows(part)
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write {path.name} to '{path.parent}': {error.strerror or error}; "
            "set another directory with --dir or $HARNESS_DATA"
        ) from None
    checked = f"{download.checksum.partition(':')[0]} verified" if download.checksum else "no published checksum"
    say(f"downloaded {path} ({readable_size(path.stat().st_size)}, {checked})")


def _open_as_the_umask_allows(file: Path) -> None:
    """Give a temporary file, which only its owner can read, the permissions of any new file."""
    sample = file.with_name(f"{file.name}.rights")
    sample.touch()
    file.chmod(sample.stat().st_mode)


def _retrieve(download: Download, staging: Path, advice: str) -> Path:
    """Download into the staging directory and verify the checksum there."""
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    name = Path(download.filename).name
    try:
        with _progress_bar(name) as bar:
            # Without 'identity' a server may compress the transfer, and the checksum would not match.
            downloader = pooch.HTTPDownloader(
                progressbar=bar, chunk_size=_CHUNK_BYTES, headers={"Accept-Encoding": "identity"}
            )
            pooch.retrieve(download.url, download.checksum, fname=name, path=staging, downloader=downloader)
    except requests.RequestException as error:
        raise DataError(f"cannot download {download.url}: {_reason(error, download.url)}; {advice}") from None
    except ValueError as error:
        # Pooch's message gives the file, the expected checksum and the actual one.
        cause = " ".join(str(error).split()).partition(" Deleted download")[0].rstrip(".")
        raise DataError(f"{cause}; nothing of {download.url} was kept: repeat the command, or {advice}") from None
    return staging / name


def _reason(error: Exception, url: str) -> str:
    """Say briefly why a request failed."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} ({error.response.reason})"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was lost before the download was complete"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {url.split('/')[2]}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """A temporary directory beside ``folder`` for incomplete files; removed afterwards.

    It also removes those that killed processes left, an hour after their last write.
    """
    parts = folder.parent / _STAGING
    parts.mkdir(parents=True, exist_ok=True)
    for left in parts.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - max(path.stat().st_mtime for path in (left, *left.rglob("*"))) > _ABANDONED_SECONDS:
                shutil.rmtree(left)
    try:
        with tempfile.TemporaryDirectory(dir=parts, prefix=f"{folder.name}-") as staging:
            yield Path(staging)
    finally:
        with contextlib.suppress(OSError):
            parts.rmdir()


class _Bar:
    """The progress bar interface of pooch, drawn by rich."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    @property
    def total(self) -> int:
        return int(self._progress.tasks[0].total or 0)

    @total.setter
    def total(self, size: int) -> None:
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.refresh()


@contextmanager
def _progress_bar(name: str) -> Iterator[_Bar]:
    """A bar with speed and time left if stderr is a terminal, otherwise nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    speed = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), *speed)
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bar(progress, progress.add_task(name, total=None))
