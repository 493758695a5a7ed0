"""One reader for tables as people write them; what it cannot read in one way only is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import harness
from harness.data.dialects import official
from harness.data.table_files import by_architecture, header_of, read_frame
from harness.errors import DataError

FRAME = pd.DataFrame({"arch": ["a", "b", "c"], "zen": [1.5, 93.25, -0.125], "n": [1, 2, 3]})


@pytest.fixture
def read(tmp_path):
    """Reads content as a file; what is noted about it, if ``notes`` are given."""

    def run(content, name="scores.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_frame(path, **options)

    return run


def same(found):
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=False)


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


CSV = FRAME.to_csv(index=False).encode()
GERMAN = FRAME.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")


class TestText:
    @pytest.mark.parametrize(
        ("content", "noted"),
        [
            (GERMAN, ["separated by ';'", "decimal commas"]),
            ("\ufeff" + GERMAN, ["separated by ';'", "decimal commas"]),
            ("sep=;\r\n" + GERMAN, ["separated by ';'", "decimal commas"]),
            (GERMAN.replace(";", "\t").encode("utf-16"), ["UTF-16", "separated by tabs", "decimal commas"]),
            (b"\xfe\xff" + GERMAN.encode("utf-16-be"), ["UTF-16", "separated by ';'", "decimal commas"]),
            (CSV.decode().encode("utf-16-le"), ["UTF-16"]),
            (FRAME.to_csv(index=False, sep="\t"), ["separated by tabs"]),
            (b" arch , zen, n \n" + CSV.partition(b"\n")[2], []),
        ],
    )
    def test_of_any_country_is_the_same_table(self, read, content, noted):
        notes = []
        same(read(content, notes=notes))
        assert notes == noted

    def test_of_a_western_spreadsheet_may_have_umlauts(self, read):
        found = read("arch;Güte\na;1,5\n".encode("cp1252"))
        assert found.to_dict("list") == {"arch": ["a"], "Güte": [1.5]}

    def test_digits_with_leading_zeros_are_names(self, read):
        content = "arch,n,zen\n00012110,7,0.5\n22222222,10,00.25\n"
        assert read(content).to_dict("list") == {"arch": ["00012110", "22222222"], "n": [7, 10], "zen": [0.5, 0.25]}
        found = read("arch;n;zen\n00012110;7;0,5\n22222222;10;3,5\n")
        assert found.to_dict("list") == {"arch": ["00012110", "22222222"], "n": [7, 10], "zen": [0.5, 3.5]}

    def test_a_word_among_decimal_commas_stays_a_word(self, read):
        assert read("arch;zen\na;1,5\nb;#WERT!\nc;2,5\n")["zen"].tolist() == ["1.5", "#WERT!", "2.5"]

    def test_quoted_separators_are_text(self, read):
        assert read('net,zen\n"(4, 0)",1.5\n"(4, 1)",2.5\n')["net"].tolist() == ["(4, 0)", "(4, 1)"]
        assert read("net\tzen\n(4, 0)\t1.5\n(4, 1)\t2.5\n")["net"].tolist() == ["(4, 0)", "(4, 1)"]

    @pytest.mark.parametrize(
        ("content", "cause"),
        [
            ("arch;x\na;1,5\nb;1.5\n", "with a decimal comma, such as '1,5', and with a point, such as '1.5'"),
            ("arch;x\na;93,512\nb;92,113\n", "'93,512' may be 93.512 or 93512, and no other number shows which"),
            ("a,b;c,d\n1,2;3,4\n", "can be read with ';' and with ',' between its fields"),
        ],
    )
    def test_what_can_be_read_in_two_ways_is_refused(self, read, content, cause):
        with pytest.raises(DataError, match=r"^scores\.csv") as refused:
            read(content)
        assert cause in str(refused.value)


class TestFiles:
    @pytest.mark.parametrize(
        "content",
        [
            gzip.compress(CSV),
            bz2.compress(CSV),
            lzma.compress(CSV),
            pa.compress(CSV, "zstd", asbytes=True),
            zipped(**{"scores.csv": CSV, "__MACOSX/._scores.csv": b"x", ".DS_Store": b"x"}),
            bz2.compress(FRAME.to_json(orient="records").encode()),
        ],
        ids=["gz", "bz2", "xz", "zst", "zip", "JSON"],
    )
    def test_may_be_compressed_whatever_their_name(self, read, content):
        same(read(content, "scores.txt"))

    @pytest.mark.parametrize("kind", ["parquet", "feather"])
    def test_may_be_binary_with_the_architectures_as_index(self, read, kind):
        buffer = io.BytesIO()
        indexed = FRAME.set_index("arch") if kind == "parquet" else FRAME
        getattr(indexed, f"to_{kind}")(buffer)
        same(read(buffer.getvalue(), "scores"))

    def test_architectures_may_be_lists_in_a_binary_file(self, read):
        buffer = io.BytesIO()
        pd.DataFrame({"net": [[4, 0], [4, 1]], "zen": [1.0, 2.0]}).to_parquet(buffer)
        assert read(buffer.getvalue())["net"].tolist() == ["[4, 0]", "[4, 1]"]

    @pytest.mark.parametrize(
        ("content", "cause"),
        [
            (
                zipped(**{"a.csv": CSV, "b.csv": CSV}),
                "is a zip archive with 2 files (a.csv, b.csv); expected: one table",
            ),
            (zipped(**{"xl/workbook.xml": b"x", "a.xml": b""}), "is an Excel workbook; save the sheet as CSV"),
            (zipped(**{"archive/data.pkl": b"x"}), "is a PyTorch file"),
            (b"<!DOCTYPE html>", "is a web page, perhaps saved in place of the file"),
            (lzma.compress(CSV)[:40], "is truncated, or not a CSV or Parquet table: a damaged xz file"),
            (pa.compress(CSV, "zstd", asbytes=True)[:-5], "a damaged zstd file"),
        ],
    )
    def test_of_other_kinds_are_named(self, read, content, cause):
        with pytest.raises(DataError) as refused:
            read(content)
        assert cause in str(refused.value) and "\n" not in str(refused.value)

    def test_half_precision_is_said(self, read):
        half = pd.DataFrame({"arch": range(400), "acc": np.linspace(70, 94, 400).astype(np.float16)})
        buffer, notes = io.BytesIO(), []
        half.to_parquet(buffer)
        read(buffer.getvalue(), notes=notes)
        read(half.to_csv(index=False), notes=notes)
        read(half.assign(acc=np.linspace(70, 94, 400).round(2)).to_csv(index=False), notes=notes)
        assert notes == ["column 'acc' has float16 values, with three significant digits"] * 2

    def test_the_header_alone_is_found_in_any_of_them(self, tmp_path):
        path = tmp_path / "table"
        for content in (CSV, bz2.compress(CSV), GERMAN.encode("utf-16"), zipped(**{"a.csv": CSV})):
            path.write_bytes(content)
            assert header_of(path) == ["arch", "zen", "n"]
        path.write_bytes(b"\x80\x04")
        assert header_of(path) == []


class TestJson:
    @pytest.mark.parametrize("orient", ["records", "columns", "split", "table"])
    def test_of_pandas(self, read, orient):
        same(read(FRAME.to_json(orient=orient)))

    def test_lines_lists_and_mappings(self, read):
        same(read(FRAME.to_json(orient="records", lines=True)))
        same(read(json.dumps(FRAME.to_dict("list"))))
        by_row = FRAME.set_index("arch").T.to_dict()
        by_column = FRAME.set_index("arch").to_dict()
        for document in (by_row, by_column, {"cifar10": by_row}):
            found = by_architecture(read(json.dumps(document), columns=["zen"]), "x")
            pd.testing.assert_frame_equal(found.rename_axis("arch"), FRAME.set_index("arch"), check_dtype=False)

    def test_a_mapping_to_numbers_is_one_column_with_the_name_of_the_file(self, read):
        assert read('{"a": 1.5, "b": 2}', "zen.json").to_dict("list") == {"(unnamed)": ["a", "b"], "zen": [1.5, 2.0]}

    def test_score_files_of_nas_bench_suite_zero(self, read):
        rows = {"(4, 0, 3, 1, 4, 3)": {"id": 7, "zen": {"score": 1.5, "time": 0.1}, "val_accuracy": 90.0}}
        document = json.dumps({"cifar10": rows, "cifar100": {}})
        assert read(document, section="CIFAR-10").iloc[0].tolist() == ["(4, 0, 3, 1, 4, 3)", 7, 1.5, 90.0]
        with pytest.raises(DataError, match="several data sets; choose one of cifar10, cifar100"):
            read(document)

    @pytest.mark.parametrize(
        ("content", "cause"),
        [
            ('{"a": {"x": 1}}', "does not show whether 'a' is an architecture or a column"),
            ("[1, 2]", "is a JSON list of something else than records"),
            ('{"a": [1', "is truncated, or not JSON"),
        ],
    )
    def test_other_layouts_are_refused(self, read, content, cause):
        with pytest.raises(DataError) as refused:
            read(content)
        assert cause in str(refused.value)


TSS = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
CELL = ((0, 1, 1, 0), (0, 0, 1, 1), (0, 0, 0, 1), (0, 0, 0, 0))
NAMES = ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "output"]


class TestDialects:
    @pytest.mark.parametrize(
        ("benchmark", "column", "text", "meant"),
        [
            ("nats-tss", "arch", f" {TSS} ", TSS),
            ("nats-tss", "arch", TSS.replace("+", " + "), TSS),
            ("nats-tss", "net", "(4, 3, 3, 0, 0, 0)", TSS),
            ("digits", "op_indices", "[4,3,3,0,0,0]", TSS),
            ("nats-tss", "arch_index", 0, TSS),
            ("nats-sss", "arch", "8-16-24-32-64", "8:16:24:32:64"),
            ("nats-sss", "index", 9, "8:8:8:16:16"),
            ("transnas-micro", "net", "(1, 0, 2, 3, 3, 3)", "64-41414-1_02_333"),
            ("transnas-macro", "net", "(1, 2, 3, 4, 0, 0)", "64-1234-basic"),
            ("nasbench-macro", "arch", "(0, 2, 0, 1, 2, 1, 0, 0)", "02012100"),
            ("nasbench-macro", "arch", 2012100, "02012100"),
        ],
    )
    def test_are_recognised_and_said(self, benchmark, column, text, meant):
        loaded, notes = harness.load(benchmark), []
        frame = pd.DataFrame({column: [text], "zen": [1.0]})
        found = official(frame, loaded.dialects(), loaded.architectures, "table", notes)
        assert found.index.tolist() == [meant] and found.columns.tolist() == ["zen"]
        assert len(notes) == (str(text).strip() != meant)

    def test_of_nasbench101_give_one_hash(self):
        dialects = harness.load("nasbench101").dialects()
        # The last vertex before the output leads nowhere, and counts for nothing.
        padded = [[*row[:3], 0, row[3]] for row in CELL[:3]] + [[0] * 5, [0] * 5]
        tuples = [*np.ravel(CELL).tolist(), 0, 3, 4, 1], [*np.ravel(padded).tolist(), 0, 3, 4, 2, 1]
        frames = [
            pd.DataFrame({"matrix": [str(CELL)], "ops": [str(NAMES)], "zen": [1.0]}),
            *(pd.DataFrame({"net": [str(tuple(numbers))], "zen": [1.0]}) for numbers in tuples),
            pd.DataFrame({"arch": [f"{padded} {[*NAMES[:3], 'maxpool3x3', 'output']}"], "zen": [1.0]}),
        ]
        hashes = {official(frame, dialects, tuple, "table", []).index[0] for frame in frames}
        from harness_benchmarks.nasbench101.cell import Cell, module_hash

        assert hashes == {module_hash(Cell(4, 0b110111, "10"))}

    def test_the_order_of_nats_bench_is_the_published_one(self):
        import hashlib

        from harness_benchmarks.nats.archive import TOPOLOGY
        from harness_benchmarks.nb201.dialects import official_order

        assert hashlib.sha256("\n".join(official_order()).encode()).hexdigest() == TOPOLOGY.order_sha256

    def test_one_row_in_another_form_is_named(self):
        loaded = harness.load("nats-tss")
        frame = pd.DataFrame({"net": ["(4, 3, 3, 0, 0, 0)"] * 3 + ["(4, 3, 3, 0, 0, 7)"]})
        with pytest.raises(DataError, match=r"'\(4, 3, 3, 0, 0, 7\)' in row 4 is not an architecture \(1 such rows\)"):
            official(frame, loaded.dialects(), loaded.architectures, "table", [])

    def test_one_of_which_most_are_official_too_is_used_if_every_row_fits(self):
        loaded = harness.load("nasbench-macro")
        numbers = [22222222, 11111111, 2012100]
        frame, notes = pd.DataFrame({"arch": numbers, "zen": [1, 2, 3]}), []
        found = official(frame, loaded.dialects(), loaded.architectures, "table", notes)
        assert found.index.tolist() == ["22222222", "11111111", "02012100"]
        assert notes == ["architectures are numbers without leading zeros, such as '22222222'"]
        frame = pd.DataFrame({"arch": [*numbers[:2], 3]})
        found = official(frame, loaded.dialects(), loaded.architectures, "table", [])
        assert found.index.tolist() == ["22222222", "11111111", "3"]

    def test_a_column_that_counts_the_rows_is_no_index_of_architectures(self):
        with pytest.raises(DataError, match="has no column 'arch' or 'architecture'"):
            by_architecture(pd.DataFrame({"index": [0, 1, 2], "zen": [1.0, 2.0, 3.0]}), "table")
