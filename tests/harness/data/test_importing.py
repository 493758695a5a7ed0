"""Ground-truth tables: an import is checked and stored completely, or refused without changes."""

import gzip
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.contracts.benchmark import Benchmark
from harness.data import TableFormat, Truth, import_table
from harness.data import local_tables as tables
from harness.data.checksum import table_checksum
from harness.data.local_tables import TableMetadata, data_home, read_metadata, read_table, table_path, write_table
from harness.errors import DataError, HarnessError

ARCHITECTURES = [f"arch-{number}" for number in range(5)]
FORMAT = TableFormat(
    architectures=lambda: ARCHITECTURES,
    truths={"mnist/test/9": Truth("accuracy (%) on the test images"), "mnist/val/9": Truth("accuracy (%) on others")},
    essential=("mnist/test/9",),
    seeds="mean over two seeds",
    parameters=lambda architectures, dataset: np.array([int(name[-1]) * 10 for name in architectures]),
    datasets=("mnist",),
    obtain="FILE is the toy table",
)


class Toy(Benchmark):
    name = "toy"
    title = "a toy"
    citation = "none"
    datasets = ("mnist",)
    truths = (("test", 9), ("val", 9))

    def __init__(self, table_format=FORMAT):
        self._format = table_format

    def architectures(self):
        return ARCHITECTURES

    def task(self, dataset):
        raise NotImplementedError

    def build(self, architecture, dataset):
        raise NotImplementedError

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError

    def table_format(self):
        return self._format


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "data home"
    monkeypatch.setenv("HARNESS_DATA", str(folder))
    return folder


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "arch": ARCHITECTURES[::-1],
            "mnist/test/9": [50.0, 60.0, 90.5, 70.0, 80.0],
            "mnist/params": [40, 30, 20, 10, 0],
        }
    )


@pytest.fixture
def csv(tmp_path, frame):
    def write(changed=None, name="table.csv"):
        path = tmp_path / name
        (frame if changed is None else changed).to_csv(path, index=False)
        return path

    return write


def refusal(file, benchmark=None, **options):
    """The message of a refused import: one line."""
    with pytest.raises(DataError) as caught:
        import_table(benchmark or Toy(), file, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestImport:
    def test_a_table_comes_back_in_the_order_of_the_benchmark(self, csv):
        import_table(Toy(), csv())
        table = read_table("toy")
        assert list(table.index) == ARCHITECTURES
        assert table["mnist/test/9"].tolist() == [80, 70, 90.5, 60, 50]
        assert table["mnist/params"].tolist() == [0, 10, 20, 30, 40]
        assert table.dtypes.to_dict() == {"mnist/test/9": np.float32, "mnist/params": np.int64}

    @pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
    @pytest.mark.parametrize("column", ["arch", "architecture"])
    def test_every_kind_of_file_gives_the_same_table_whatever_its_name(self, tmp_path, frame, kind, column):
        frame = frame.rename(columns={"arch": column})
        path = tmp_path / f"table.{kind}"
        frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
        import_table(Toy(), path.rename(tmp_path / "renamed"))
        assert read_table("toy")["mnist/test/9"].tolist() == [80, 70, 90.5, 60, 50]

    def test_the_summary_says_what_was_found(self, csv, frame, home):
        path = csv(frame.assign(index=range(5)))
        summary = import_table(Toy(), path)
        assert summary.architectures == (5, 5)
        assert summary.best == {"mnist/test/9": (90.5, "arch-2")}
        text = "\n".join(summary.lines())
        assert "imported the ground truth of toy from table.csv" in text
        assert "architectures: 5 of 5" in text
        assert "best test/9: mnist 90.500" in text
        assert "unused columns: index" in text
        assert f"stored as {home / 'toy.parquet'}" in text
        assert summary.sha256 in text

    def test_the_best_is_the_lowest_if_lower_is_better(self, csv):
        summary = import_table(
            Toy(replace(FORMAT, truths={"mnist/test/9": Truth("error (%)", higher_is_better=False)})), csv()
        )
        assert summary.best == {"mnist/test/9": (50, "arch-4")}

    def test_the_table_says_what_it_is(self, csv):
        import hashlib

        path = csv()
        import_table(Toy(), path)
        assert read_metadata("toy") == TableMetadata(
            benchmark="toy",
            source="table.csv",
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            seeds="mean over two seeds",
            columns={"mnist/test/9": "accuracy (%) on the test images", "mnist/params": "parameters of the network"},
        )

    def test_equal_accuracies_are_equal_whatever_they_were_averaged_by(self, csv, frame):
        values = [88.84666666666668, 88.84666666666666, 88.84666666666665, 88.843333, 88.85]
        import_table(Toy(), csv(frame.assign(**{"mnist/test/9": values})))
        assert read_table("toy")["mnist/test/9"].nunique() == 3

    def test_a_new_import_replaces_the_existing_one(self, csv, frame):
        import_table(Toy(), csv())
        import_table(Toy(), csv(frame.assign(**{"mnist/test/9": 7.0})))
        assert set(read_table("toy")["mnist/test/9"]) == {7.0}

    def test_a_benchmark_with_its_own_ground_truth_has_nothing_to_import(self, csv):
        class Own(Benchmark):
            name = "own"
            architectures = task = build = ground_truth = None

        Own.__abstractmethods__ = frozenset()
        with pytest.raises(HarnessError, match="own includes its ground truth"):
            import_table(Own(), csv())


class TestRefusedArchitectures:
    def test_missing_ones_are_counted_and_the_first_is_named(self, csv, frame):
        message = refusal(csv(frame[frame["arch"].isin(["arch-0", "arch-3"])]))
        assert "3 of 5 architectures are missing, first 'arch-1'" in message
        assert "--allow-partial" in message

    def test_missing_ones_are_allowed_if_the_user_says_so_and_the_source_tells(self, csv, frame):
        summary = import_table(Toy(), csv(frame[:2]), allow_partial=True)
        assert summary.architectures == (2, 5)
        assert read_metadata("toy").source == "table.csv (only 2 of 5 architectures)"
        assert list(read_table("toy").index) == ["arch-3", "arch-4"]

    def test_a_table_without_rows_is_never_allowed(self, csv, frame):
        assert "5 of 5 architectures are missing" in refusal(csv(frame[:0]), allow_partial=True)

    def test_repeated_ones_are_counted_and_the_first_is_named(self, csv, frame):
        message = refusal(csv(pd.concat([frame, frame[1:3]])))
        assert "duplicate architecture 'arch-3' (2 architectures occur more than once)" in message

    def test_repeated_ones_with_other_accuracies_are_refused_too(self, csv, frame):
        again = frame[1:2].assign(**{"mnist/test/9": 50.0})
        assert "duplicate architecture 'arch-3'" in refusal(csv(pd.concat([frame, again])))

    def test_unknown_ones_are_counted_and_the_first_is_named(self, csv, frame):
        message = refusal(csv(frame.replace({"arch": {"arch-1": "resnet", "arch-4": "vgg"}})))
        assert "unknown architecture 'vgg' (2 of 5 rows are unknown)" in message


class TestRefusedColumns:
    def test_no_architectures(self, csv, frame):
        assert "has no column 'arch' or 'architecture'; it has mnist/test/9" in refusal(csv(frame.drop(columns="arch")))

    def test_no_ground_truth(self, csv, frame):
        message = refusal(csv(frame.rename(columns={"mnist/test/9": "accuracy"})))
        assert "needs at least one of mnist/test/9, but has accuracy, mnist/params" in message

    @pytest.mark.parametrize(
        ("value", "cause"),
        [
            (100.5, "has 100.5 for 'arch-2' (1 such values); expected: 0 to 100"),
            (-1, "has -1 for 'arch-2'"),
            (np.inf, "has inf for 'arch-2'"),
            (np.nan, "has 'nan', which is not a number, for 'arch-2'"),
            ("n/k", "has 'n/k', which is not a number, for 'arch-2'"),
        ],
    )
    def test_a_value_that_is_not_an_accuracy_is_named(self, csv, frame, value, cause):
        values = frame["mnist/test/9"].astype(object)
        values[2] = value
        assert f"column 'mnist/test/9' {cause}" in refusal(csv(frame.assign(**{"mnist/test/9": values})))

    def test_fractions_are_not_percent(self, csv, frame):
        changed = frame.assign(**{"mnist/test/9": frame["mnist/test/9"] / 100})
        assert "has fractions (at most 0.905); expected: percent" in refusal(csv(changed))

    def test_fractions_are_no_percent_though_one_is_as_good_as_guessing(self, csv, frame):
        hard = replace(FORMAT, truths={"mnist/test/9": Truth("accuracy (%)", chance=0.8)})
        changed = frame.assign(**{"mnist/test/9": [0.8, 0.93, 0.91, 0.9, 0.1]})
        assert "has fractions (at most 0.93); expected: percent" in refusal(csv(changed), Toy(hard))

    def test_parameters_of_another_network(self, csv, frame):
        message = refusal(csv(frame.assign(**{"mnist/params": [40, 30, 21, 11, 0]})))
        assert "gives 21 parameters for 'arch-2', but the network has 20 (2 rows differ)" in message


class TestRefusedFiles:
    def test_a_missing_file(self, tmp_path):
        assert "no such file or directory" in refusal(tmp_path / "absent.csv")

    def test_an_empty_file(self, tmp_path):
        (tmp_path / "table.csv").touch()
        assert "table.csv is empty; expected: FILE is the toy table" in refusal(tmp_path / "table.csv")

    def test_a_folder(self, tmp_path):
        (tmp_path / "folder").mkdir()
        assert "unsupported directory 'folder'" in refusal(tmp_path / "folder")

    @pytest.mark.parametrize("kept", [20, 60, -8])
    def test_a_truncated_gzip_file(self, tmp_path, csv, kept):
        path = tmp_path / "table.csv.gz"
        path.write_bytes(gzip.compress(csv().read_bytes())[:kept])
        assert "table.csv.gz is truncated, or not a CSV" in refusal(path)

    @pytest.mark.parametrize("kept", [10, -10])
    def test_a_truncated_parquet_file(self, tmp_path, frame, kept):
        path = tmp_path / "table.parquet"
        frame.to_parquet(path)
        path.write_bytes(path.read_bytes()[:kept])
        assert "table.parquet is a damaged Parquet file" in refusal(path)

    @pytest.mark.parametrize("content", [bytes(range(255, 0, -1)), b'a,b\n1,2,3,4,5\n"'])
    def test_files_that_are_not_tables(self, tmp_path, content):
        (tmp_path / "table.csv").write_bytes(content)
        assert "table.csv is truncated, or not a CSV or Parquet table" in refusal(tmp_path / "table.csv")

    @pytest.mark.parametrize(
        ("content", "kind"), [(pickle.dumps([1]), "a pickle"), (b"BZh91AY", "a bzip2 file"), (b"PK\3\4", "a zip")]
    )
    def test_other_kinds_are_named_and_never_unpickled(self, tmp_path, content, kind):
        (tmp_path / "table").write_bytes(content)
        assert f"table is {kind}" in refusal(tmp_path / "table")


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
