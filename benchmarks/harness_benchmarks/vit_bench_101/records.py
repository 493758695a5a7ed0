"""The published files, ``gt_autoformer.pth``, ``gt_autoformer_2.pth`` and ``gt_pit.pth``, and the same records in JSON.

They are lists of ``{"arch": {…}, "c100_base_acc": 68.66, …}``. The files by ``torch.save`` contain nothing but numbers,
texts, lists and dictionaries, and are read by a reader that accepts nothing else.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.json_text import parse_json
from harness._utils.plain_pickle import load_plain
from harness.data.table_contents import content_of
from harness.errors import DataError
from harness_benchmarks.vit_bench_101.texts import shown
from harness_benchmarks.vit_bench_101.truths import OFFICIAL_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_ZIP = b"PK\x03\x04"
_PICKLE = re.compile(r"[^/]+/data\.pkl")
_START = 1 << 12
_WANTED = "a file by torch.save or a JSON list of {'arch': {…}, 'c100_kd_acc': …, …}"


@dataclass(frozen=True)
class RecordsReader:
    """Reads the records of one family from a file, or from all of a folder's files that are named after it.

    Attributes:
        family: ``autoformer`` or ``pit``; a word of the names of its files.
        key: a field that only architectures of this family have.
        parse: the architecture of the text of a record's ``arch``, or None if it is none of this family.
    """

    family: str
    key: str
    parse: Callable[[str], str | None]

    def accepts(self, source: Path) -> bool:
        """Whether it is a folder with such a file, a file by ``torch.save``, or records of this family in JSON."""
        if source.is_dir():
            return bool(self._files(source))
        return _is_torch_file(source) or f'"{self.key}"' in _start_of(source)

    def describe(self, source: Path) -> str:
        """The files' names."""
        return " and ".join(file.name for file in self._files(source))

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """One row per record, indexed by architecture.

        Raises:
            DataError: if a file is damaged or has more than plain data, or a record is none of this family.
        """
        import pandas as pd

        rows = [row for file in self._files(source) for row in self._rows(file, trust_pickle)]
        return pd.DataFrame(rows).set_index("arch")

    def _files(self, source: Path) -> list[Path]:
        if not source.is_dir():
            return [source]
        named = re.compile(rf".*(?<![a-z]){self.family}(?![a-z]).*\.(pth|json)", re.IGNORECASE)
        return sorted(path for path in source.iterdir() if path.is_file() and named.fullmatch(path.name))

    def _rows(self, file: Path, trust_pickle: bool) -> Iterator[dict[str, Any]]:
        records = _of_torch(file, trust_pickle) if _is_torch_file(file) else _of_json(file)
        if not isinstance(records, list) or not records:
            raise DataError(f"{file.name} has no list of records; expected: {_WANTED}")
        for number, record in enumerate(records):
            arch = record.get("arch") if isinstance(record, dict) else None
            if not isinstance(arch, dict):
                raise DataError(f"{file.name}: record {number} has no 'arch'; expected: {_WANTED}")
            architecture = self.parse(str(arch))
            if architecture is None:
                raise DataError(f"{file.name}: record {number} is no {self.family} architecture: {shown(str(arch))}")
            values = {OFFICIAL_COLUMNS.get(name, name): value for name, value in record.items() if name != "arch"}
            yield {"arch": architecture, **values}


def _start_of(source: Path) -> str:
    try:
        return content_of(source, _WANTED, _START).decode("utf-8", errors="replace")
    except DataError:
        return ""


def _is_torch_file(source: Path) -> bool:
    """Whether it is the zip container of ``torch.save``."""
    with source.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return False
    try:
        with zipfile.ZipFile(source) as archive:
            return any(map(_PICKLE.fullmatch, archive.namelist()))
    except (OSError, zipfile.BadZipFile, ValueError):
        # Damaged, which reading it will say.
        return source.suffix in (".pth", ".pt")


def _of_torch(source: Path, trust_pickle: bool) -> Any:
    """The content of a file by ``torch.save``; zipfile compares the checksum of the pickle in it."""
    if trust_pickle:
        import torch

        return torch.load(source, map_location="cpu", weights_only=False)
    try:
        with zipfile.ZipFile(source) as archive:
            member = next(name for name in archive.namelist() if _PICKLE.fullmatch(name))
            with archive.open(member) as file:
                return load_plain(file, source.name, remedy="--trust-pickle loads it anyway, and runs any code in it")
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, StopIteration) as error:
        raise DataError(f"{source.name} is truncated or damaged ({type(error).__name__}: {error})") from None


def _of_json(source: Path) -> Any:
    content = content_of(source, _WANTED)
    try:
        return parse_json(content)
    except ValueError as error:
        raise DataError(f"{source.name} is truncated, or not JSON ({error}); expected: {_WANTED}") from None
