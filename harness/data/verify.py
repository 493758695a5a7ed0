"""``harness data verify``: check that local data still match what was imported and downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness._utils.finding import Finding
from harness._utils.names import unknown_name
from harness.contracts.benchmark import Benchmark
from harness.data.archives import differences
from harness.data.checks import checked_table
from harness.data.checksum import table_checksum
from harness.data.downloads import digest, downloads_home
from harness.data.formats import Importable
from harness.data.further_tables import FurtherTable, further_tables, sources_of
from harness.data.image_sources import IMAGE_SOURCES
from harness.data.importing import partial_note
from harness.data.local_tables import read_metadata, read_table, stored_checksum, table_path
from harness.data.sources import Files
from harness.errors import DataError, UnknownNameError
from harness.registry import benchmark_classes, benchmark_named, load_benchmark


def verify(name: str | None = None, directory: Path | None = None) -> list[Finding]:
    """Check local tables, downloads and extracted images, without changing anything.

    A table must have the content that its import stored, every architecture of the benchmark once, and only values
    that an import accepts. A download must match its published checksum. Extracted images must match their archive.
    There is one finding for everything that exists; missing data are a finding only if requested by name.

    Args:
        name: a benchmark, further table or image data set; default: all.
        directory: the download directory; by default ``downloads`` beside the tables.

    Raises:
        UnknownNameError: if there is no such benchmark, table or data set.
    """
    tables = further_tables()
    known = [*sorted(benchmark_classes()), *tables, *IMAGE_SOURCES]
    if name is not None and name not in known:
        name = benchmark_named(name) or name
    if name is not None and name not in known:
        raise UnknownNameError(unknown_name("benchmark, table or image data set", name, known))
    findings: list[Finding] = []
    for each in known if name is None else [name]:
        folder = downloads_home(directory) / each
        if each in tables:
            found = list(_verify_with_downloads(tables[each], folder))
        else:
            found = list(_verify_images(each, folder) if each in IMAGE_SOURCES else _verify_benchmark(each, folder))
        if not found and name is not None:
            gets = name not in tables or sources_of(tables[name]) is not None
            command = f"get {name}" if gets else f"import {name} FILE"
            found = [Finding(name, False, f"missing; get it with: harness data {command}")]
        findings += found
    return findings


def _verify_benchmark(name: str, folder: Path) -> Iterator[Finding]:
    benchmark = load_benchmark(name)
    if not isinstance(benchmark, Importable):
        yield Finding(name, True, "comes with the package")
        return
    yield from _verify_with_downloads(benchmark, folder)


def _verify_with_downloads(table: Benchmark | FurtherTable, folder: Path) -> Iterator[Finding]:
    if table_path(table.name).exists():
        yield _verify_table(table)
    sources = sources_of(table)
    for source in [] if sources is None else sources.files():
        yield from _verify_downloads(table.name, source, folder)


def _verify_table(benchmark: Benchmark | FurtherTable) -> Finding:
    assert isinstance(benchmark, Importable)
    name, path = benchmark.name, table_path(benchmark.name)
    remedy = f"import it again: harness data import {name} FILE"
    if sources_of(benchmark) is not None:
        remedy += f", or: harness data get {name} --replace"
    try:
        metadata, table = read_metadata(name), read_table(name)
        stored = stored_checksum(name)
        computed = table_checksum(table)
        if stored is not None and stored != computed:
            return Finding(
                name,
                False,
                f"checksum mismatch in table {path}: sha256 is {computed}, but {stored} was imported; {remedy}",
            )
        _, size = checked_table(table, benchmark.table_format(), path.name, allow_partial=True)
    except DataError as error:
        return Finding(name, False, f"{error}; {remedy}" if "import it again" not in str(error) else str(error))
    if len(table) < size and partial_note(len(table), size) not in metadata.source:
        return Finding(
            name, False, f"table {path} has {len(table):,} of {size:,} architectures, but more were imported; {remedy}"
        )
    content = f"content as imported (sha256 {computed[:12]}…)" if stored else "no stored checksum to compare with"
    return Finding(
        name,
        True,
        f"table {path.name}: {len(table):,} of {size:,} architectures, {len(table.columns)} columns, {content}",
    )


def _verify_downloads(name: str, source: Files, folder: Path) -> Iterator[Finding]:
    for download in source.downloads:
        path = folder / download.filename
        if not path.is_file():
            continue
        if download.checksum is None:
            yield Finding(name, True, f"{download.filename}: no published checksum to compare with")
            continue
        algorithm, _, published = download.checksum.partition(":")
        found = digest(path, algorithm)
        mismatch = (
            f"checksum mismatch: {path} has {algorithm} {found}, published is {published}; delete it and download it "
            f"again: harness data get {name} --replace"
        )
        match = f"{download.filename}: matches the published {algorithm}"
        yield Finding(name, found == published, match if found == published else mismatch)


def _verify_images(name: str, folder: Path) -> Iterator[Finding]:
    declared = IMAGE_SOURCES[name]
    if not isinstance(declared.source, Files):
        return
    findings = list(_verify_downloads(name, declared.source, folder))
    yield from findings
    images = folder / declared.folder
    if not images.is_dir():
        return
    if not findings:
        yield Finding(name, True, f"{declared.folder}: not compared, since the archive is missing")
    elif all(finding.right for finding in findings):
        wrong = list(differences(declared.source.imported(folder), declared.folder))
        remedy = f"; extract it again: harness data get {name} --replace"
        words = ", ".join(wrong) + remedy if wrong else f"{declared.folder}: every file matches the archive"
        yield Finding(name, not wrong, words)
