"""``harness data get``: download declared files, and import or extract them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness._utils.names import unknown_name
from harness.contracts.benchmark import Benchmark
from harness.data.archives import extract
from harness.data.downloads import downloads_home, fetch
from harness.data.formats import Importable
from harness.data.further_tables import FurtherTable, further_tables, sources_of
from harness.data.image_sources import IMAGE_SOURCES
from harness.data.importing import import_table
from harness.data.local_tables import read_metadata, table_path
from harness.data.sources import Files, FileShare
from harness.data.table_files import sha256_of
from harness.errors import DataError, HarnessError, InstructionsError, UnknownNameError
from harness.registry import benchmark_classes, benchmark_named, load_benchmark


@dataclass(frozen=True)
class GetOptions:
    """Options of a download.

    Attributes:
        full: the larger version instead of the standard one.
        replace: whether existing data may be replaced.
        directory: the download directory; by default ``downloads`` beside the tables.
    """

    full: bool = False
    replace: bool = False
    directory: Path | None = None


def get(name: str, options: GetOptions, say: Callable[[str], None]) -> None:
    """Get the ground truth of a benchmark, a further table, or an image data set.

    Existing files are not downloaded again. ``say`` is called with each line of output.

    Raises:
        UnknownNameError: if there is no such benchmark, table or data set.
        HarnessError: if there is nothing to download; the message says what to do instead.
        DataError: if a download fails or does not match its published checksum.
    """
    benchmark = name if name in benchmark_classes() else benchmark_named(name)
    tables = further_tables() if benchmark is None else {}
    if benchmark is not None:
        _get_table(load_benchmark(benchmark), options, say)
    elif name in tables:
        _get_table(tables[name], options, say)
    elif name in IMAGE_SOURCES:
        _get_images(name, options, say)
    else:
        known = [*benchmark_classes(), *tables, *IMAGE_SOURCES]
        raise UnknownNameError(unknown_name("benchmark, table or image data set", name, known))


def _get_table(benchmark: Benchmark | FurtherTable, options: GetOptions, say: Callable[[str], None]) -> None:
    name = benchmark.name
    if not isinstance(benchmark, Importable):
        raise HarnessError(f"{name} includes its ground truth: nothing to download")
    table_format = benchmark.table_format()
    sources = sources_of(benchmark)
    if sources is None:
        raise HarnessError(
            f"{name} declares no download for its {table_format.kind}; {table_format.obtain}; "
            f"import it with: harness data import {name} FILE"
        )
    source = sources.full if options.full else sources.standard
    if source is None:
        raise HarnessError(f"{name} has no larger version of its {table_format.kind}: omit --full")
    folder = downloads_home(options.directory) / name
    only_a_page = options.full and isinstance(source, FileShare)
    if not (options.replace or only_a_page) and _is_here(benchmark, source, folder, say):
        return
    if isinstance(source, FileShare):
        raise InstructionsError(source.lines())
    imported = source.imported(folder)
    for download in source.downloads:
        fetch(download, folder, f", or import a file that you have: harness data import {name} FILE", say)
    say("\n".join(import_table(benchmark, imported).lines()))


def _is_here(
    benchmark: Benchmark | FurtherTable, source: Files | FileShare, folder: Path, say: Callable[[str], None]
) -> bool:
    """Whether the table exists already; one from another source is only replaced on request."""
    name = benchmark.name
    what = f"the table {name}" if isinstance(benchmark, FurtherTable) else f"the ground truth of {name}"
    try:
        held = read_metadata(name)
    except DataError:
        return False
    here = f"{what} exists already, imported from {held.source} (sha256 {held.sha256[:12]}…)"
    if isinstance(source, FileShare):
        say(f"{here}, in {table_path(name)}; --replace shows where to get {source.what}")
        return True
    imported = source.imported(folder)
    offered = source.sha256 or (sha256_of(imported) if imported.exists() else None)
    if held.sha256 != offered:
        raise HarnessError(f"{here}, and was kept; replace it by {source.what} with --replace")
    say(f"{here}, in {table_path(name)}; nothing was downloaded")
    return True


def _get_images(name: str, options: GetOptions, say: Callable[[str], None]) -> None:
    declared = IMAGE_SOURCES[name]
    if options.full:
        raise HarnessError(f"{name} has no larger version: omit --full")
    if isinstance(declared.source, FileShare):
        raise InstructionsError(declared.source.lines())
    folder = downloads_home(options.directory) / name
    images = folder / declared.folder
    if images.is_dir() and not options.replace:
        say(f"{declared.source.what} exist already, in {images}; nothing was downloaded")
    else:
        for download in declared.source.downloads:
            fetch(download, folder, "", say)
        say(f"extracted {extract(declared.source.imported(folder), declared.folder)}")
    say(f"use them with: --images {images}")
