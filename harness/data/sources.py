"""Where data can be had: files to download with their published checksums, or a page and a file to get by hand.

Benchmarks declare it by :class:`Obtainable`; image data sets that several benchmarks use are declared in
:mod:`harness.data.image_sources`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Download:
    """One file that anybody can download.

    Attributes:
        url: where it is.
        filename: its name in the folder of downloads, perhaps in a subfolder, with ``/`` between.
        checksum: ``sha256:…`` or ``md5:…`` as published; None where none is, so that only an import can judge it.
        size: bytes; it is told to the user, not checked.
    """

    url: str
    filename: str
    checksum: str | None
    size: int


@dataclass(frozen=True)
class Files:
    """Files that belong together and are downloaded together.

    Attributes:
        what: what they hold, in a few words.
        downloads: the files.
    """

    what: str
    downloads: tuple[Download, ...]

    def imported(self, folder: Path) -> Path:
        """What an import is given once they lie in a folder: the only file, or the folder if there are several."""
        return folder / self.downloads[0].filename if len(self.downloads) == 1 else folder

    @property
    def sha256(self) -> str | None:
        """What :func:`harness.data.table_files.sha256_of` gives for the import; None if a SHA-256 is not published."""
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
    """A file on a share that allows no plain download: the user gets it in a browser.

    Attributes:
        what: what it holds, in a few words.
        page: the page that links it.
        filename: what it is called there.
        steps: the commands to run next, in order.
    """

    what: str
    page: str
    filename: str
    steps: tuple[str, ...]

    def lines(self) -> str:
        """Page, file and next steps, one a line."""
        steps = "\n        ".join(self.steps)
        return (
            f"{self.what}: no plain download is offered\n  page  {self.page}\n  file  {self.filename}\n  then  {steps}"
        )


@dataclass(frozen=True)
class Sources:
    """Where the ground truth of a benchmark can be had.

    Attributes:
        standard: what most users want.
        full: more of it, at a greater size; None if there is no more.
    """

    standard: Files | FileShare
    full: Files | FileShare | None = None

    def files(self) -> list[Files]:
        """Those that can be downloaded."""
        return [source for source in (self.standard, self.full) if isinstance(source, Files)]


@runtime_checkable
class Obtainable(Protocol):
    """A benchmark that says where its ground truth can be had."""

    def sources(self) -> Sources:
        """Where its ground truth can be had."""
