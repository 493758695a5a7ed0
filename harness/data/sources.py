"""Where to get data: files to download with published checksums, or a page for a manual download.

Benchmarks declare their sources by :class:`Obtainable`; :mod:`harness.data.image_sources` declares image data sets,
which several benchmarks use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Download:
    """One file that can be downloaded directly.

    Attributes:
        url: its address.
        filename: its name in the download directory, optionally in a subdirectory, separated by ``/``.
        checksum: the published ``sha256:…`` or ``md5:…``; None if none is published, so that only the import checks
            the file.
        size: bytes; shown to the user, not checked.
    """

    url: str
    filename: str
    checksum: str | None
    size: int


@dataclass(frozen=True)
class Files:
    """Files that are downloaded together.

    Attributes:
        what: a short description.
        downloads: the files.
    """

    what: str
    downloads: tuple[Download, ...]

    def imported(self, folder: Path) -> Path:
        """The path to import, once they are in a directory: the only file, or the directory if there are several."""
        return folder / self.downloads[0].filename if len(self.downloads) == 1 else folder

    @property
    def sha256(self) -> str | None:
        """What :func:`harness.data.table_files.sha256_of` gives for the import; None if no SHA-256 is published."""
        digests: dict[str, str] = {}
        for download in self.downloads:
            algorithm, _, digest = (download.checksum or "").partition(":")
            if algorithm != "sha256":
                return None
            digests[download.filename] = digest
        if len(digests) == 1:
            return next(iter(digests.values()))
        paths = sorted(digests, key=Path)
        return hashlib.sha256("".join(f"{digests[path]}  {path}\n" for path in paths).encode()).hexdigest()


@dataclass(frozen=True)
class FileShare:
    """A file without a direct download, which the user gets in a browser.

    Attributes:
        what: a short description.
        page: the page that links to it.
        filename: its name on that page.
        steps: the commands to run next, in order.
    """

    what: str
    page: str
    filename: str
    steps: tuple[str, ...]

    def lines(self) -> str:
        """Page, file and next steps, one per line."""
        steps = "\n        ".join(self.steps)
        return (
            f"{self.what}: no direct download available\n  page  {self.page}\n  file  {self.filename}\n  then  {steps}"
        )


@dataclass(frozen=True)
class Sources:
    """Where to get the ground truth of a benchmark.

    Attributes:
        standard: the version that most users need.
        full: a larger version with more data; None if there is none.
    """

    standard: Files | FileShare
    full: Files | FileShare | None = None

    def files(self) -> list[Files]:
        """The sources that can be downloaded."""
        return [source for source in (self.standard, self.full) if isinstance(source, Files)]


@runtime_checkable
class Obtainable(Protocol):
    """A benchmark that declares where to get its ground truth."""

    def sources(self) -> Sources:
        """Where to get its ground truth."""
