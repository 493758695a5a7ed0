"""``harness data status``: which ground truth and downloads are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness._utils.console import output
from harness._utils.sizes import readable_size
from harness.data.device_costs import CostTable, cost_tables
from harness.data.downloads import downloads_home
from harness.data.formats import Importable
from harness.data.image_sources import IMAGE_SOURCES
from harness.data.local_tables import data_home, read_metadata, row_count, stored_checksum, table_path
from harness.data.sources import Files, FileShare, Obtainable
from harness.errors import DataError
from harness.registry import benchmark_classes, load_benchmark

Facts = Iterator[tuple[str, str]]
"""Facts of one entry: a heading (empty: as on the line before) and text."""

_SHOWN = 4


def print_data_status(console: Console | None = None, directory: Path | None = None) -> None:
    """Print what exists of each benchmark and image data set, where, since when and which version, or how to get it."""
    target, downloads = output(console), downloads_home(directory)
    truths = {name: _ground_truth(name, downloads / name) for name in sorted(benchmark_classes())}
    _print(target, f"Ground truth, in {data_home()}", truths)
    costs = {name: _costs(table) for name, table in cost_tables().items()}
    if costs:
        target.print()
        _print(target, f"Device costs, in {data_home()}", costs)
    images = {name: _images(name, downloads / name) for name in IMAGE_SOURCES}
    target.print()
    _print(target, f"Images, in {downloads}", images)


def status_document(directory: Path | None = None) -> dict[str, Any]:
    """The content of :func:`print_data_status` for programs; docs/json.md describes its schema."""
    downloads = downloads_home(directory)
    costs = cost_tables()
    return {
        "schema": 1,
        "tables_folder": str(data_home()),
        "downloads_folder": str(downloads),
        "ground_truth": {name: _truth_state(name, downloads / name) for name in sorted(benchmark_classes())},
        "costs": {name: _table_state(name) for name in costs},
        "images": {name: _images_state(name, downloads / name) for name in IMAGE_SOURCES},
    }


def _truth_state(name: str, folder: Path) -> dict[str, Any]:
    benchmark = load_benchmark(name)
    if not isinstance(benchmark, Importable):
        return {"state": "comes with the package"}
    sources = benchmark.sources().files() if isinstance(benchmark, Obtainable) else []
    return _table_state(name) | {"downloads": [_files_state(source, folder) for source in sources]}


def _table_state(name: str) -> dict[str, Any]:
    path = table_path(name)
    if not path.exists():
        return {"state": "missing", "path": str(path)}
    facts: dict[str, Any] = {"path": str(path), "bytes": path.stat().st_size, "modified": path.stat().st_mtime}
    try:
        metadata = read_metadata(name)
        facts |= {
            "layout": metadata.schema,
            "source": metadata.source,
            "sha256": metadata.sha256,
            "content": stored_checksum(name),
            "architectures": row_count(name),
            "columns": metadata.columns,
        }
    except DataError as error:
        return {"state": "damaged", **facts, "error": str(error)}
    return {"state": "here", **facts}


def _images_state(name: str, folder: Path) -> dict[str, Any]:
    declared = IMAGE_SOURCES[name]
    if isinstance(declared.source, FileShare):
        return {"state": "by hand", "path": None, "downloads": []}
    images = folder / declared.folder
    state = "here" if images.is_dir() else "missing"
    return {"state": state, "path": str(images), "downloads": [_files_state(declared.source, folder)]}


def _files_state(source: Files, folder: Path) -> dict[str, Any]:
    names = [download.filename for download in source.downloads]
    here = [name for name in names if (folder / name).is_file()]
    return {"files": names, "here": here, "bytes": sum((folder / name).stat().st_size for name in here)}


def _print(console: Console, title: str, things: dict[str, Facts]) -> None:
    console.print(Text(title, style="italic"), soft_wrap=True)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, facts in things.items():
        for index, (heading, words) in enumerate(facts):
            table.add_row("" if index else name, heading, Text(words))
    console.print(table, highlight=False)


def _ground_truth(name: str, folder: Path) -> Facts:
    benchmark = load_benchmark(name)
    if not isinstance(benchmark, Importable):
        yield "here", "comes with the package"
        return
    path = table_path(name)
    command = "get" if isinstance(benchmark, Obtainable) else "import"
    if not path.exists():
        yield "missing", f"harness data {command} {name}" + (" FILE" if command == "import" else "")
        if isinstance(benchmark, Obtainable) and isinstance(benchmark.sources().standard, FileShare):
            yield "", "(shows the page to download it from and the next steps)"
    else:
        try:
            yield from _table(name, benchmark)
        except DataError as error:
            yield "damaged", str(error)
    for source in benchmark.sources().files() if isinstance(benchmark, Obtainable) else []:
        yield from _downloads(source, folder)


def _costs(table: CostTable) -> Facts:
    if not table_path(table.name).exists():
        yield "missing", f"harness data import {table.name} FILE"
        yield "", table.table_format().obtain
        return
    try:
        yield from _table(table.name, table)
    except DataError as error:
        yield "damaged", str(error)


def _table(name: str, benchmark: Importable) -> Facts:
    """The content, source and size of a benchmark's table."""
    path, metadata = table_path(name), read_metadata(name)
    status = path.stat()
    yield "here", f"{path.name}, {_size_and_date(status.st_size, status.st_mtime)}, layout {metadata.schema}"
    yield "source", metadata.source
    yield "sha256", metadata.sha256
    yield "content", stored_checksum(name) or "no stored checksum"
    yield "architectures", f"{row_count(name):,}"
    table_format = benchmark.table_format()
    if not table_format.datasets:
        yield table_format.kind, ", ".join(metadata.columns)
        return
    truths = [column for column in table_format.truths if column in metadata.columns]
    for splits, datasets in _by_splits(truths).items():
        yield "ground truth", f"{splits} of {', '.join(datasets)}"
    others = [column for column in metadata.columns if column not in truths]
    if others:
        shown = ", ".join(others[:_SHOWN])
        yield "more columns", shown + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")


def _by_splits(columns: list[str]) -> dict[str, list[str]]:
    """The data sets of columns ``dataset/split/epochs``, grouped by the splits that they have.

    >>> _by_splits(["a/test/9", "b/test/9", "a/val/9", "b/val/9", "c/test/9"])
    {'test/9, val/9': ['a', 'b'], 'test/9': ['c']}
    """
    of_dataset: dict[str, list[str]] = {}
    for column in columns:
        dataset, _, split = column.partition("/")
        of_dataset.setdefault(dataset, []).append(split)
    by_splits: dict[str, list[str]] = {}
    for dataset, splits in of_dataset.items():
        by_splits.setdefault(", ".join(splits), []).append(dataset)
    return by_splits


def _downloads(source: Files, folder: Path) -> Facts:
    """How many files of a source exist."""
    here = [folder / download.filename for download in source.downloads if (folder / download.filename).is_file()]
    if here:
        size, since = sum(path.stat().st_size for path in here), max(path.stat().st_mtime for path in here)
        count = f"{len(here)} of {len(source.downloads)} files"
        names = here[0].name if len(source.downloads) == 1 else f"{count} in {folder.parent.name}/{folder.name}"
        yield "download", f"{names}, {_size_and_date(size, since)}"


def _images(name: str, folder: Path) -> Facts:
    declared = IMAGE_SOURCES[name]
    if isinstance(declared.source, FileShare):
        yield "manual", f"harness data get {name} shows where to download it"
        return
    images = folder / declared.folder
    if images.is_dir():
        yield "here", f"--images {images}"
    else:
        yield "missing", f"harness data get {name}"
    yield from _downloads(declared.source, folder)


def _size_and_date(size: float, modified: float) -> str:
    return f"{readable_size(size)}, since {datetime.fromtimestamp(modified):%Y-%m-%d %H:%M}"
