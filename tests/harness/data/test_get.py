"""``harness data get``, ``verify`` and ``status`` on a toy benchmark with files from a local server."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from harness._utils.sizes import readable_size
from harness.contracts.benchmark import Benchmark
from harness.data import get as data_get
from harness.data import import_table
from harness.data import status as data_status
from harness.data import verify as data_verify
from harness.data.get import GetOptions, get
from harness.data.image_sources import ImageSource
from harness.data.local_tables import read_metadata, read_table, row_count, table_path
from harness.data.sources import Download, Files, FileShare, Sources
from harness.data.status import print_data_status
from harness.data.verify import verify
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.registry import load_benchmark

# The format of a real benchmark, with the architectures of a toy: it stays one whatever formats come to hold.
ARCHITECTURES = [f"arch-{number}" for number in range(4)]
FORMAT = replace(
    load_benchmark("nats-tss").table_format(),
    architectures=lambda: ARCHITECTURES,
    parameters=lambda architectures, dataset: np.array([int(name[-1]) for name in architectures]),
    readers=(),
)
COLUMN = "cifar10/test/200"
STANDARD = f"arch,{COLUMN}\n" + "".join(f"{name},{70 + n}\n" for n, name in enumerate(ARCHITECTURES))
FULL = f"arch,{COLUMN},cifar10/test/12\n" + "".join(f"{name},{70 + n},{n}\n" for n, name in enumerate(ARCHITECTURES))
SHARE = FileShare("the toy archive", "https://page", "toy.tar", ("tar xf toy.tar", "harness data import shared toy"))


class Toy(Benchmark):
    name = "toy"
    title = citation = "a toy"
    datasets = ("cifar10",)
    truths = (("test", 200),)
    declared: Sources

    def architectures(self):
        return ARCHITECTURES

    def table_format(self):
        return FORMAT

    def sources(self):
        return type(self).declared

    task = build = ground_truth = None


class Shared(Toy):
    name = "shared"
    declared = Sources(SHARE)


class Untold(Toy):
    name = "untold"
    sources = None


class Own(Toy):
    name = "own"
    table_format = sources = None


CLASSES = {cls.name: cls for cls in (Toy, Shared, Untold, Own)}


def files(server, what, name, content, checksum="sha256"):
    body = content if isinstance(content, bytes) else content.encode()
    published = f"{checksum}:{hashlib.new(checksum, body).hexdigest()}" if checksum else None
    return Files(what, (Download(server.offer(f"/{name}", body), name, published, len(body)),))


def tar(**members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"photos/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture(autouse=True)
def declared(home, server, monkeypatch):
    """The toys are the only benchmarks, and two image data sets of theirs the only ones."""
    standard, full = files(server, "a little", "little.csv", STANDARD), files(server, "all", "all.csv", FULL)
    monkeypatch.setattr(Toy, "declared", Sources(standard, full=full), raising=False)
    images = {
        "photos": ImageSource(files(server, "the photos", "photos.tar.gz", tar(a=b"1", b=b"22"), "md5"), "photos"),
        "private": ImageSource(replace(SHARE, what="private photos")),
    }
    for module in (data_get, data_verify, data_status):
        monkeypatch.setattr(module, "benchmark_classes", lambda: CLASSES)
        monkeypatch.setattr(module, "load_benchmark", lambda name: CLASSES[name]())
        monkeypatch.setattr(module, "IMAGE_SOURCES", images)


def got(name, **options):
    """What ``get`` says."""
    said = []
    get(name, GetOptions(**options), said.append)
    return "\n".join(said)


def findings(name=None):
    return [finding.line() for finding in verify(name)]


def wrong(name="toy"):
    """The one thing that ``verify`` finds wrong."""
    (finding,) = (finding for finding in verify(name) if not finding.right)
    assert "\n" not in finding.line()
    return finding.line()


def store(path, frame):
    """Change the content, but not the metadata, of a table from before columns had checksums."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata
    table = pa.Table.from_pandas(frame.reset_index(), preserve_index=False)
    kept = {k: v for k, v in metadata.items() if k in (b"nas-proxy-harness", b"nas-proxy-harness-checksum")}
    pq.write_table(table.replace_schema_metadata(kept), path)


class TestGroundTruth:
    def test_it_is_downloaded_and_imported_in_one_go(self, home):
        text = got("toy")
        assert f"downloaded {home / 'downloads' / 'toy' / 'little.csv'} (62 bytes, sha256 verified)" in text
        assert "imported the ground truth of toy from little.csv" in text
        assert read_table("toy")[COLUMN].tolist() == [70, 71, 72, 73]

    def test_a_second_time_it_says_so_and_downloads_nothing(self, server):
        got("toy")
        assert "exists already, imported from little.csv" in (text := got("toy")) and "nothing was downloaded" in text
        assert server.asked == ["/little.csv"]

    def test_that_holds_though_the_download_was_deleted_to_save_space(self, server, home):
        got("toy")
        (home / "downloads" / "toy" / "little.csv").unlink()
        assert "nothing was downloaded" in got("toy")

    def test_it_holds_without_a_published_sha256_while_the_download_is_there(self, server, monkeypatch):
        monkeypatch.setattr(Toy, "declared", Sources(files(server, "a little", "little.csv", STANDARD, None)))
        got("toy")
        assert "nothing was downloaded" in got("toy")
        assert server.asked == ["/little.csv"]

    def test_the_full_version_is_downloaded_on_request(self):
        assert "best test/12: cifar10 3.000" in got("toy", full=True)

    def test_a_table_from_another_source_is_only_replaced_on_request(self, tmp_path, server):
        (tmp_path / "mine.csv").write_text(FULL)
        import_table(Toy(), tmp_path / "mine.csv")
        with pytest.raises(
            HarnessError, match=r"imported from mine.csv .* was kept; replace it by a little with --replace"
        ):
            got("toy")
        assert server.asked == []
        got("toy", replace=True)
        assert read_metadata("toy").source == "little.csv"

    def test_a_damaged_table_is_downloaded_again(self, home):
        got("toy")
        table_path("toy").write_bytes(table_path("toy").read_bytes()[:-5])
        got("toy")
        assert read_table("toy")[COLUMN].tolist() == [70, 71, 72, 73]

    def test_downloads_can_lie_elsewhere(self, tmp_path, home):
        got("toy", directory=tmp_path / "elsewhere")
        assert (tmp_path / "elsewhere" / "toy" / "little.csv").is_file()
        assert [path.name for path in home.iterdir()] == ["toy.parquet"]

    def test_several_files_are_imported_as_a_folder(self, server, monkeypatch):
        class FolderReader:
            def accepts(self, source):
                return source.is_dir()

            def read(self, source, trust_pickle):
                return pd.read_csv(source / "one" / "a.csv", index_col="arch")

            def describe(self, source):
                return ", ".join(sorted(path.name for path in source.iterdir()))

        parts = tuple(files(server, "", name, STANDARD).downloads[0] for name in ("one/a.csv", "two/a.csv"))
        monkeypatch.setattr(Toy, "declared", Sources(Files("parts", parts)))
        monkeypatch.setattr(Toy, "table_format", lambda self: replace(FORMAT, readers=(FolderReader(),)))
        assert "imported the ground truth of toy from one, two" in got("toy")
        assert "nothing was downloaded" in got("toy")

    def test_a_failed_download_leaves_the_former_table(self, server):
        got("toy")
        server.offer("/all.csv", b"", status=500)
        with pytest.raises(DataError, match=r"the server answered 500 .* harness data import toy FILE"):
            got("toy", full=True, replace=True)
        assert read_metadata("toy").source == "little.csv"


class TestByHand:
    def test_a_file_share_gives_page_file_and_next_command(self):
        with pytest.raises(HarnessError) as caught:
            got("shared")
        for text in ("https://page", "toy.tar", "harness data import shared toy"):
            assert text in str(caught.value)

    def test_once_imported_that_is_said_first(self, tmp_path):
        (tmp_path / "mine.csv").write_text(FULL)
        import_table(Shared(), tmp_path / "mine.csv")
        assert "exists already, imported from mine.csv" in got("shared")
        with pytest.raises(HarnessError, match="https://page"):
            got("shared", replace=True)

    def test_instructions_for_a_larger_version_on_a_share_are_always_shown(self, monkeypatch):
        monkeypatch.setattr(Toy, "declared", replace(Toy.declared, full=SHARE))
        got("toy")
        with pytest.raises(HarnessError, match="https://page"):
            got("toy", full=True)

    @pytest.mark.parametrize(
        ("name", "options", "message"),
        [
            ("own", {}, "own includes its ground truth: nothing to download"),
            ("shared", {"full": True}, "shared has no larger version of its ground truth: omit --full"),
            ("photos", {"full": True}, "photos has no larger version: omit --full"),
            ("private", {}, "private photos: no direct download available"),
        ],
    )
    def test_what_cannot_be_got_is_said(self, name, options, message):
        with pytest.raises(HarnessError, match=message):
            got(name, **options)

    def test_names_that_are_near_are_suggested(self):
        with pytest.raises(UnknownNameError, match="unknown benchmark or image data set 'foto': did you mean 'photos'"):
            got("foto")
        with pytest.raises(UnknownNameError, match="did you mean 'toy'"):
            verify("toi")


class TestImages:
    def test_they_are_extracted_and_the_option_is_shown(self, home):
        folder = home / "downloads" / "photos" / "photos"
        assert got("photos").splitlines()[-1] == f"use them with: --images {folder}"
        assert (folder / "b").read_bytes() == b"22"

    def test_a_second_time_nothing_is_downloaded(self, server):
        got("photos")
        text = got("photos")
        assert "exist already" in text and "use them with: --images" in text
        assert server.asked == ["/photos.tar.gz"]

    def test_they_can_be_extracted_again(self, server, home):
        got("photos")
        (home / "downloads" / "photos" / "photos" / "b").unlink()
        got("photos", replace=True)
        assert (home / "downloads" / "photos" / "photos" / "b").exists()
        assert server.asked == ["/photos.tar.gz"], "the archive is whole"


class TestVerify:
    def test_missing_data_are_not_an_error(self):
        assert findings() == ["✓ own: comes with the package"]

    def test_missing_data_are_an_error_if_requested_by_name(self):
        assert wrong("toy") == "✗ toy: missing; get it with: harness data get toy"

    def test_what_was_got_is_right(self):
        got("toy")
        got("photos")
        table, download = findings("toy")
        assert table.startswith("✓ toy: table toy.parquet: 4 of 4 architectures, 1 columns, content as imported (")
        assert download == "✓ toy: little.csv: matches the published sha256"
        assert findings("photos") == [
            "✓ photos: photos.tar.gz: matches the published md5",
            "✓ photos: photos: every file matches the archive",
        ]

    def test_a_changed_accuracy_is_found_though_it_would_be_allowed(self):
        got("toy")
        table = read_table("toy")
        table.loc["arch-2", COLUMN] = np.float32(99)
        store(table_path("toy"), table)
        assert (
            "was imported; import it again: harness data import toy FILE, or: harness data get toy --replace" in wrong()
        )

    def test_a_column_that_is_read_is_compared_with_its_own_checksum(self):
        import pyarrow as pa
        import pyarrow.parquet as pq

        got("toy")
        path = table_path("toy")
        table = read_table("toy")
        table.loc["arch-2", COLUMN] = np.nextafter(table.loc["arch-2", COLUMN], np.float32(0))
        changed = pa.Table.from_pandas(table.reset_index(), preserve_index=False)
        pq.write_table(changed.replace_schema_metadata(pq.read_schema(path).metadata), path)
        with pytest.raises(DataError, match=f"checksum mismatch in its column '{COLUMN}'; import it again"):
            read_table("toy", [COLUMN])
        assert f"checksum mismatch in its column '{COLUMN}'" in wrong()

    def test_the_metadata_of_a_table_are_compared_too(self):
        import pyarrow.parquet as pq

        got("toy")
        path = table_path("toy")
        table = pq.read_table(path)
        metadata = {key: value.replace(b"little", b"litten") for key, value in table.schema.metadata.items()}
        pq.write_table(table.replace_schema_metadata(metadata), path)
        for read in (read_table, read_metadata, row_count):
            with pytest.raises(DataError, match="checksum mismatch in its metadata"):
                read("toy")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda table: table.iloc[[0, 1, 2, 2]], "duplicate architecture 'arch-2'"),
            (lambda table: table.rename(index={"arch-1": "resnet"}), "unknown architecture 'resnet'"),
            (lambda table: table.iloc[:3], "has 3 of 4 architectures, but more were imported"),
            (lambda table: table + 50, "has 120 for 'arch-0'"),
            (lambda table: table.rename(columns={COLUMN: "other"}), f"its column '{COLUMN}' is missing"),
        ],
    )
    def test_a_table_of_before_there_was_a_checksum_is_checked_as_in_an_import(self, change, message, monkeypatch):
        got("toy")
        store(table_path("toy"), change(read_table("toy")))
        monkeypatch.setattr(data_verify, "stored_checksum", lambda name: None)
        assert message in wrong()
        assert "harness data import toy FILE" in wrong()

    def test_such_a_table_is_correct_if_nothing_else_is_wrong(self, monkeypatch):
        got("toy")
        monkeypatch.setattr(data_verify, "stored_checksum", lambda name: None)
        assert "no stored checksum to compare with" in findings("toy")[0]

    def test_wrong_parameter_counts_are_found(self, tmp_path, monkeypatch):
        (tmp_path / "t.csv").write_text(
            f"arch,{COLUMN},cifar10/params\n" + "".join(f"arch-{n},70,{n}\n" for n in range(4))
        )
        import_table(Toy(), tmp_path / "t.csv")
        table = read_table("toy")
        store(table_path("toy"), table.assign(**{"cifar10/params": [0, 1, 2, 5]}))
        monkeypatch.setattr(data_verify, "stored_checksum", lambda name: None)
        assert "gives 5 parameters for 'arch-3', but the network has 3" in wrong()

    def test_a_partial_import_is_right_as_it_was_imported(self, tmp_path):
        (tmp_path / "part.csv").write_text("\n".join(STANDARD.splitlines()[:3]))
        import_table(Toy(), tmp_path / "part.csv", allow_partial=True)
        assert "2 of 4 architectures" in findings("toy")[0]
        assert findings("toy")[0].startswith("✓")

    def test_every_flipped_bit_that_changes_a_value_is_found(self):
        got("toy")
        path = table_path("toy")
        whole, table = path.read_bytes(), read_table("toy")
        found = 0
        for position in range(0, len(whole), 7):
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
            if all(finding.right for finding in verify("toy")):
                pd.testing.assert_frame_equal(read_table("toy"), table)
            else:
                found += 1
        assert found > 20

    def test_a_damaged_download_is_found(self, home):
        got("toy")
        (home / "downloads" / "toy" / "little.csv").write_text("half")
        assert "little.csv has sha256" in (message := wrong())
        assert message.endswith("delete it and download it again: harness data get toy --replace")

    def test_a_download_without_a_published_checksum_is_said_to_have_none(self, server, monkeypatch):
        monkeypatch.setattr(Toy, "declared", Sources(files(server, "a little", "little.csv", STANDARD, None)))
        got("toy")
        assert findings("toy")[1] == "✓ toy: little.csv: no published checksum to compare with"

    def test_a_changed_image_file_is_found(self, home):
        got("photos")
        (home / "downloads" / "photos" / "photos" / "a").write_bytes(b"9")
        assert wrong("photos") == (
            "✗ photos: photos/a differs from the archive; extract it again: harness data get photos --replace"
        )

    def test_images_without_their_archive_cannot_be_compared(self, home):
        got("photos")
        (home / "downloads" / "photos" / "photos.tar.gz").unlink()
        assert findings("photos") == ["✓ photos: photos: not compared, since the archive is missing"]


class TestStatus:
    def status(self, width=100):
        console = Console(width=width, record=True, file=io.StringIO())
        print_data_status(console)
        return console.export_text()

    def test_what_is_missing_comes_with_the_command_that_gets_it(self):
        text = " ".join(self.status().split())
        for words in (
            "own here comes with the package",
            "toy missing harness data get toy",
            "shared missing harness data get shared (shows the page to download it from",
            "untold missing harness data import untold FILE",
            "photos missing harness data get photos",
            "private manual harness data get private shows where to download it",
        ):
            assert words in text

    def test_what_is_here_comes_with_its_version(self, home):
        got("toy", full=True)
        got("photos")
        text = self.status()
        words = " ".join(text.split())
        metadata = read_metadata("toy")
        assert f"toy here toy.parquet, {readable_size(table_path('toy').stat().st_size)}, since 2" in words
        assert "layout 1" in words
        assert metadata.sha256 in words
        assert "architectures 4" in words
        assert "ground truth test/200, test/12 of cifar10" in words
        assert f"download all.csv, {len(FULL)} bytes, since 2" in words
        assert "photos here --images " in words
        assert max(len(line) for line in text.splitlines() if " in /" not in line) <= 100

    def test_files_that_belong_together_are_counted(self, server, monkeypatch, home):
        parts = tuple(files(server, "", name, STANDARD).downloads[0] for name in ("a.csv", "b.csv"))
        monkeypatch.setattr(Toy, "declared", Sources(Files("parts", parts)))
        with pytest.raises(DataError, match="unsupported directory"):
            got("toy")
        (home / "downloads" / "toy" / "b.csv").unlink()
        assert "download 1 of 2 files in downloads/toy, 62 bytes, since 2" in " ".join(self.status().split())

    def test_a_damaged_table_is_said_to_be_one(self):
        got("toy")
        table_path("toy").write_bytes(b"PAR1")
        assert "toy damaged" in " ".join(self.status().split())

    def test_columns_that_are_not_ground_truth_are_counted(self, tmp_path):
        (tmp_path / "t.csv").write_text(
            f"arch,{COLUMN},cifar10/params\n" + "".join(f"arch-{n},70,{n}\n" for n in range(4))
        )
        import_table(Toy(), tmp_path / "t.csv")
        assert "more columns cifar10/params" in " ".join(self.status().split())
