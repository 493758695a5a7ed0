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
from harness._utils.names import listed
from harness._utils.sizes import readable_size
from harness.data.downloads import downloads_home
from harness.data.formats import Importable, TableFormat
from harness.data.further_tables import COSTS, FurtherTable, further_tables, sources_of
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
    target, downloads, document = output(console), downloads_home(directory), status_document(directory)
    truths = {name: _ground_truth(name, state, downloads / name) for name, state in document["ground_truth"].items()}
    _print(target, f"Ground truth, in {data_home()}", truths)
    tables = further_tables()
    for key, title in (("further_truths", "Further ground truth"), ("costs", "Device costs")):
        if document[key]:
            target.print()
            facts = {name: _further(tables[name], state, downloads / name) for name, state in document[key].items()}
            _print(target, f"{title}, in {data_home()}", facts)
    target.print()
    images = {name: _images(name, state, downloads / name) for name, state in document["images"].items()}
    _print(target, f"Images, in {downloads}", images)


def status_document(directory: Path | None = None) -> dict[str, Any]:
    """The content of :func:`print_data_status` for programs; docs/json.md describes its schema."""
    downloads = downloads_home(directory)
    costs = {name: table.format.kind == COSTS for name, table in further_tables().items()}
    return {
        "schema": 1,
        "tables_folder": str(data_home()),
        "downloads_folder": str(downloads),
        "ground_truth": {name: _truth_state(name, downloads / name) for name in sorted(benchmark_classes())},
        "further_truths": {name: _table_state(name) for name, is_cost in costs.items() if not is_cost},
        "costs": {name: _table_state(name) for name, is_cost in costs.items() if is_cost},
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


def _ground_truth(name: str, state: dict[str, Any], folder: Path) -> Facts:
    benchmark = load_benchmark(name)
    if not isinstance(benchmark, Importable):
        yield "here", "comes with the package"
        return
    if state["state"] != "missing":
        yield from _table(state, benchmark.table_format())
    elif not isinstance(benchmark, Obtainable):
        yield "missing", f"harness data import {name} FILE"
    else:
        yield "missing", f"harness data get {name}"
        if isinstance(benchmark.sources().standard, FileShare):
            yield "", "(shows the page to download it from and the next steps)"
    for files in state["downloads"]:
        yield from _downloads(files, folder)


def _further(table: FurtherTable, state: dict[str, Any], folder: Path) -> Facts:
    sources = sources_of(table)
    if state["state"] != "missing":
        yield from _table(state, table.format)
    elif sources is not None:
        yield "missing", f"harness data get {table.name}"
    else:
        yield "missing", f"harness data import {table.name} FILE"
        yield "", table.format.obtain
    for source in [] if sources is None else sources.files():
        yield from _downloads(_files_state(source, folder), folder)


def _table(state: dict[str, Any], table_format: TableFormat) -> Facts:
    """The content, source and size of a benchmark's table."""
    if state["state"] == "damaged":
        yield "damaged", state["error"]
        return
    size = _size_and_date(state["bytes"], state["modified"])
    yield "here", f"{Path(state['path']).name}, {size}, layout {state['layout']}"
    yield "source", state["source"]
    yield "sha256", state["sha256"]
    yield "content", state["content"] or "no stored checksum"
    yield "architectures", f"{state['architectures']:,}"
    if not table_format.datasets:
        yield table_format.kind, listed(state["columns"])
        return
    truths = [column for column in table_format.truths if column in state["columns"]]
    for splits, datasets in _by_splits(truths).items():
        yield "ground truth", f"{splits} of {', '.join(datasets)}"
    others = [column for column in state["columns"] if column not in truths]
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


def _downloads(files: dict[str, Any], folder: Path) -> Facts:
    """How many files of a source exist."""
    here = [folder / name for name in files["here"]]
    if here:
        count = f"{len(here)} of {len(files['files'])} files in {folder.parent.name}/{folder.name}"
        names = here[0].name if len(files["files"]) == 1 else count
        since = max(path.stat().st_mtime for path in here)
        yield "download", f"{names}, {_size_and_date(files['bytes'], since)}"


def _images(name: str, state: dict[str, Any], folder: Path) -> Facts:
    match state["state"]:
        case "by hand":
            yield "manual", f"harness data get {name} shows where to download it"
        case "here":
            yield "here", f"--images {state['path']}"
        case _:
            yield "missing", f"harness data get {name}"
    for files in state["downloads"]:
        yield from _downloads(files, folder)


def _size_and_date(size: float, modified: float) -> str:
    return f"{readable_size(size)}, since {datetime.fromtimestamp(modified):%Y-%m-%d %H:%M}"
