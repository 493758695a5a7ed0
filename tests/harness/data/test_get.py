"""``harness data get`` on a toy benchmark with files from a local server."""

from dataclasses import replace

import pandas as pd
import pytest
from toy_downloads import COLUMN, FORMAT, FULL, SHARE, STANDARD, Shared, Toy, files, got

from harness.data import import_table
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.data.sources import Files, Sources
from harness.data.verify import verify
from harness.errors import DataError, HarnessError, UnknownNameError

pytestmark = pytest.mark.usefixtures("declared")


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
        with pytest.raises(
            UnknownNameError, match="unknown benchmark, table or image data set 'foto': did you mean 'photos'"
        ):
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
