"""Local tables: written completely or not at all, and refused if they are damaged or foreign."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_table import FORMAT, Toy, refusal

from harness.data import import_table
from harness.data import local_tables as tables
from harness.data.checksum import table_checksum
from harness.data.local_tables import TableMetadata, data_home, read_metadata, read_table, table_path, write_table
from harness.errors import DataError

pytestmark = pytest.mark.usefixtures("home")


class TestStore:
    def test_the_checksum_of_a_table_covers_its_names_its_columns_and_every_value(self):
        frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}, index=["x", "y"])
        others = [
            frame.set_axis(["y", "x"]),
            frame.set_axis(["b", "a"], axis="columns"),
            frame.assign(a=[1.0, 2.5]),
            frame.assign(b=[3.0, 4.0]),
            frame[::-1],
        ]
        assert len({table_checksum(frame), *map(table_checksum, others)}) == 1 + len(others)
        assert table_checksum(frame) == table_checksum(frame.copy())

    def test_a_missing_table_tells_how_to_import_one(self, home):
        with pytest.raises(DataError) as caught:
            read_table("toy", obtain=FORMAT.obtain)
        assert str(caught.value) == (
            f"no ground truth of toy in '{home}'; import it with: harness data import toy FILE (FILE is the toy table)"
        )

    def test_only_the_requested_columns_are_returned_in_order(self, csv):
        import_table(Toy(), csv())
        assert list(read_table("toy", ["mnist/params"]).columns) == ["mnist/params"]
        assert list(read_table("toy", ["mnist/params", "mnist/test/9"]).columns) == ["mnist/params", "mnist/test/9"]

    def test_a_missing_column_tells_what_there_is(self, csv):
        import_table(Toy(), csv())
        with pytest.raises(DataError, match=r"has no column 'mnist/val/9'; it has mnist/test/9, mnist/params"):
            read_table("toy", ["mnist/val/9"])

    def test_a_failed_import_keeps_the_existing_table_and_nothing_else(self, csv, frame, home):
        import_table(Toy(), csv())
        before = table_path("toy").read_bytes()
        refusal(csv(frame[1:]))
        assert table_path("toy").read_bytes() == before
        assert [path.name for path in home.iterdir()] == ["toy.parquet"]

    def test_a_failed_write_keeps_the_existing_table_and_nothing_else(self, csv, home, monkeypatch):
        import pyarrow.parquet as pq

        import_table(Toy(), csv())
        before = table_path("toy").read_bytes()

        def full_disk(table, path, **_):
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pq, "write_table", full_disk)
        assert "cannot write the table of toy" in (message := refusal(csv())) and "No space left on device" in message
        assert table_path("toy").read_bytes() == before
        assert [path.name for path in home.iterdir()] == ["toy.parquet"]

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path, csv, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "file" / "home"))
        message = refusal(csv())
        assert "cannot write the table of toy" in message
        assert "set another directory with $HARNESS_DATA" in message

    @pytest.mark.parametrize("kept", [0, 3, 100, -4])
    def test_a_damaged_table_says_how_to_import_it_again(self, csv, kept):
        import_table(Toy(), csv())
        table_path("toy").write_bytes(table_path("toy").read_bytes()[:kept])
        for read in (read_table, read_metadata):
            with pytest.raises(DataError, match=r"cannot use .* import it again: harness data import toy FILE"):
                read("toy")

    def test_a_parquet_file_not_written_by_an_import_is_refused(self, frame, home):
        home.mkdir()
        frame.to_parquet(home / "toy.parquet")
        with pytest.raises(DataError, match="it was not written by 'harness data import'"):
            read_table("toy")

    def test_a_table_of_another_layout_is_refused(self, csv, monkeypatch):
        import_table(Toy(), csv())
        monkeypatch.setattr(tables, "SCHEMA_VERSION", 2)
        with pytest.raises(DataError, match="its layout version is 1, but this harness needs 2"):
            read_table("toy")

    def test_a_table_of_another_benchmark_is_refused(self, csv):
        import_table(Toy(), csv())
        table_path("toy").rename(table_path("other"))
        with pytest.raises(DataError, match="it contains the ground truth of toy"):
            read_table("other")

    def test_the_table_is_readable_by_whom_the_umask_allows(self, csv):
        former = os.umask(0o022)
        try:
            import_table(Toy(), csv())
        finally:
            os.umask(former)
        assert table_path("toy").stat().st_mode & 0o777 == 0o644

    def test_the_metadata_is_plain_json_in_the_parquet_file(self, csv):
        import pyarrow.parquet as pq

        import_table(Toy(), csv())
        stored = json.loads(pq.read_schema(table_path("toy")).metadata[b"nas-proxy-harness"])
        assert stored["schema"] == 1
        assert stored["source"] == "table.csv"

    def test_without_the_variable_the_users_data_folder_is_taken(self, monkeypatch):
        monkeypatch.delenv("HARNESS_DATA")
        assert data_home().name == "nas-proxy-harness"

    def test_a_table_of_15625_by_3_loads_fast_and_small_without_torch(self, home):
        names = [
            f"|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|{number}~0|none~1|none~2|" for number in range(15_625)
        ]
        columns = {f"{dataset}/test/200": "accuracy" for dataset in ("a", "b", "c")}
        values = np.random.default_rng(0).uniform(0, 100, size=(15_625, 3)).astype(np.float32)
        write_table(pd.DataFrame(values, index=names, columns=list(columns)), TableMetadata("big", "", "", "", columns))
        code = (
            "import sys, time\n"
            "from harness.data.local_tables import read_table\n"
            "assert read_table('big').shape == (15625, 3)\n"
            "seconds = time.process_time()\n"
            "assert 'torch' not in sys.modules\n"
            "import psutil; print(seconds, psutil.Process().memory_info().rss / 2**20)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds, megabytes = map(float, done.stdout.split())
        assert seconds < 2
        assert megabytes < 200
