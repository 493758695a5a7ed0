"""``harness data verify``: tables, downloads and extracted images are compared with their checksums."""

import numpy as np
import pandas as pd
import pytest
from toy_downloads import COLUMN, STANDARD, Toy, files, got

from harness.data import import_table
from harness.data import verify as data_verify
from harness.data.local_tables import read_metadata, read_table, row_count, table_path
from harness.data.sources import Sources
from harness.data.verify import verify
from harness.errors import DataError

pytestmark = pytest.mark.usefixtures("declared")


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
