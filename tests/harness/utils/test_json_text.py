"""Text that is nested too deeply is refused in one line by everything that reads JSON or TOML."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

import harness
from harness._utils.json_text import RepeatedKeyError, json_checksum, parse_json
from harness.data.local_tables import TableMetadata, read_metadata, table_path, write_table
from harness.data.table_files import read_frame
from harness.errors import HarnessError
from harness.gate.baseline_files import DOCUMENT, SCORES, read_baseline
from harness.reproduction.reading import load_protocol
from harness.store import Store
from harness.store.checksums import checksums_of_everything
from harness.store.restore import restore
from harness.store.sqlite import FILE_NAME

DEEP = "[" * 200_000


def one_line(action):
    with pytest.raises(HarnessError) as raised:
        action()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_it_is_a_value_error():
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(DEEP)


def test_a_key_that_occurs_twice_is_an_error_on_request():
    text = '{"a": {"b": 1, "c": 2, "b": 1}}'
    assert parse_json(text) == {"a": {"b": 1, "c": 2}}
    with pytest.raises(RepeatedKeyError, match="'b' occurs more than once in one object"):
        parse_json(text, unique=True)
    assert parse_json('[{"a": 1}, {"a": 2}]', unique=True) == [{"a": 1}, {"a": 2}]


def test_a_table_that_names_an_architecture_twice(tmp_path):
    (tmp_path / "scores.json").write_text('{"a": {"zen": 1}, "b": {"zen": 2}, "a": {"zen": 3}}')
    message = one_line(lambda: read_frame(tmp_path / "scores.json"))
    assert message == "scores.json names 'a' more than once in one JSON object"


def test_a_baseline(tmp_path):
    (tmp_path / DOCUMENT).write_text(DEEP)
    (tmp_path / SCORES).write_bytes(b"")
    assert "nested too deeply" in one_line(lambda: read_baseline(tmp_path))


def test_the_manifest_of_exported_scores(tmp_path):
    (tmp_path / "scores.csv").write_text("")
    (tmp_path / "scores.csv.json").write_text(DEEP)
    assert "nested too deeply" in one_line(lambda: restore(tmp_path / "scores.csv", tmp_path / "again"))


@pytest.mark.parametrize("content", ["[]", "1", '{"setting": 3}', "{}"])
def test_a_manifest_of_another_kind(tmp_path, content):
    (tmp_path / "scores.csv").write_text("")
    (tmp_path / "scores.csv.json").write_text(content)
    assert "is not the manifest of a run" in one_line(lambda: restore(tmp_path / "scores.csv", tmp_path / "again"))


def test_a_store(tmp_path):
    harness.run("digits", sample=1, batch_size=2, proxies="params", out=tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE manifest SET value = ? WHERE key = 'machine'", (DEEP,))
        checksums_of_everything(connection)
    assert "nested too deeply" in one_line(lambda: Store.read(tmp_path))


def test_a_table(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    frame = pd.DataFrame({"d/test/1": np.float32([1, 2])}, index=["a", "b"])
    write_table(frame, TableMetadata("toy", "", "", "", {"d/test/1": ""}))
    table = pq.read_table(table_path("toy"))
    pq.write_table(table.replace_schema_metadata({b"nas-proxy-harness": DEEP.encode()}), table_path("toy"))
    assert "its metadata cannot be read" in one_line(lambda: read_metadata("toy"))


def test_a_protocol(tmp_path):
    (tmp_path / "a.toml").write_text(f"a = {DEEP}")
    assert "cannot be read" in one_line(lambda: load_protocol(str(tmp_path / "a.toml")))


def test_a_checksum_says_everything_but_itself():
    document = {"a": 1, "checksum": "x"}
    assert json_checksum(document, "checksum") == json_checksum({"a": 1}, "checksum")
    assert json_checksum(document, "checksum") != json_checksum({"a": 2}, "checksum")


def test_a_checksum_does_not_depend_on_the_order_of_the_entries():
    assert json_checksum({"a": 1, "b": {"c": 2, "d": 3}}, "") == json_checksum({"b": {"d": 3, "c": 2}, "a": 1}, "")
