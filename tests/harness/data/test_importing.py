"""Ground-truth tables: an import is checked and stored completely, or refused without changes."""

import bz2
import gzip
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy_table import ARCHITECTURES, FORMAT, Toy, refusal

from harness.contracts.benchmark import Benchmark
from harness.data import Truth, import_table
from harness.data.local_tables import TableMetadata, read_metadata, read_table
from harness.errors import HarnessError

pytestmark = pytest.mark.usefixtures("home")


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
        ("content", "kind"),
        [
            (pickle.dumps([1]), "a pickle"),
            (bz2.compress(pickle.dumps([1])), "a pickle"),
            (b"BZh91AY", "truncated, or not a CSV or Parquet table: a damaged bzip2 file"),
            (b"PK\3\4", "truncated, or not a CSV or Parquet table: a damaged zip archive"),
            (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        ],
    )
    def test_other_kinds_are_named_and_never_unpickled(self, tmp_path, content, kind):
        (tmp_path / "table").write_bytes(content)
        assert f"table is {kind}" in refusal(tmp_path / "table")
