"""What benchmarks and image data sets declare to be downloaded: complete, safe, and what the documents say."""

import re
from pathlib import Path, PurePosixPath

import pytest

from harness.data.further_tables import further_tables, sources_of
from harness.data.image_sources import IMAGE_SOURCES
from harness.data.sources import Files, FileShare, Obtainable
from harness.registry import benchmark_classes, load_benchmark

ROOT = Path(__file__).parents[2]
DOCUMENT = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("data.md", "search-and-budgets.md"))
# The documents refer to this list.
DOCUMENT += (ROOT / "benchmarks" / "harness_benchmarks" / "nats" / "help_devices.csv").read_text(encoding="utf-8")
OBTAINABLE = [name for name, cls in sorted(benchmark_classes().items()) if issubclass(cls, Obtainable)]
SOURCES = [
    *((name, source) for name in OBTAINABLE for source in load_benchmark(name).sources().files()),
    *(
        (name, source)
        for name, table in further_tables().items()
        if (sources := sources_of(table)) is not None
        for source in sources.files()
    ),
    *((name, declared.source) for name, declared in IMAGE_SOURCES.items() if isinstance(declared.source, Files)),
]
DOWNLOADS = [(name, download) for name, source in SOURCES for download in source.downloads]


def test_every_benchmark_that_is_imported_says_where_its_ground_truth_can_be_had():
    assert {"nats-tss", "nats-sss", "nasbench101"} <= set(OBTAINABLE)


@pytest.mark.parametrize(("name", "download"), DOWNLOADS, ids=lambda value: getattr(value, "filename", value))
class TestDownloads:
    def test_the_checksum_is_one(self, name, download):
        algorithm, _, digest = download.checksum.partition(":")
        assert re.fullmatch(r"[0-9a-f]+", digest)
        assert len(digest) == {"sha256": 64, "md5": 32}[algorithm]

    def test_it_comes_encrypted_and_from_a_place_that_does_not_move(self, name, download):
        assert download.url.startswith("https://")
        if "githubusercontent" in download.url:
            assert re.search(r"/[0-9a-f]{40}/", download.url), "a commit, not a branch"

    def test_it_stays_in_its_folder(self, name, download):
        path = PurePosixPath(download.filename)
        assert not path.is_absolute()
        assert ".." not in path.parts

    def test_the_document_says_the_same(self, name, download):
        path = PurePosixPath(download.url)
        assert download.url in DOCUMENT or path.name in DOCUMENT or path.stem in DOCUMENT
        assert download.checksum.partition(":")[2] in DOCUMENT


def test_no_two_downloads_are_the_same_file():
    assert len({(name, download.filename) for name, download in DOWNLOADS}) == len(DOWNLOADS)


def test_what_lies_on_a_share_ends_with_the_import():
    shares = [source for name in OBTAINABLE for source in vars(load_benchmark(name).sources()).values()]
    for share in filter(lambda source: isinstance(source, FileShare), shares):
        assert share.page.startswith("https://")
        assert share.steps[-1].startswith("harness data import ")


def test_the_names_of_benchmarks_and_of_image_data_sets_differ():
    assert not set(benchmark_classes()) & set(IMAGE_SOURCES)
