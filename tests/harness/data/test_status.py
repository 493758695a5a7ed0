"""``harness data status``: what is here, since when and which version, or how to get it."""

import io

import pytest
from rich.console import Console
from toy_downloads import COLUMN, FULL, STANDARD, Toy, files, got

from harness._utils.sizes import readable_size
from harness.data import import_table
from harness.data.local_tables import read_metadata, table_path
from harness.data.sources import Files, Sources
from harness.data.status import print_data_status
from harness.errors import DataError

pytestmark = pytest.mark.usefixtures("declared")


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
