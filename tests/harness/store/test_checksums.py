"""A damaged outcome is named by whoever reads it and computed again; nothing damaged is taken for a score."""

from __future__ import annotations

import json
import math
import random
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app
from harness.errors import HarnessError, StoreError
from harness.store import Store
from harness.store import checksums as store_checksums
from harness.store.checksums import by_column, columns_of, row_checksums
from harness.store.maintenance import compact, export, verify
from harness.store.restore import restore
from harness.store.sqlite import FILE_NAME

SETTING = {"sample": 4, "batch_size": 4, "proxies": "params,l2_norm"}
ROW = ("a", "snip", 1, "ok", 1.5, None, 0.25, 0.5, 0.125)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    place = tmp_path_factory.mktemp("kept") / "run"
    harness.run("digits", out=place, **SETTING)
    return place


@pytest.fixture
def run(kept, tmp_path):
    return shutil.copytree(kept, tmp_path / "run")


def scores(directory):
    with Store.read(directory) as store:
        return store.scores()[["architecture", "proxy", "version", "status", "value", "error"]]


def change(directory, statement, *values):
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(statement, values)


def first(directory):
    return scores(directory)["architecture"].iloc[0]


def go_on(directory, proxies="params,l2_norm"):
    return CliRunner().invoke(
        app,
        ["run", "digits", "--sample", "4", "--batch-size", "4", "--out", str(directory), "--proxies", proxies],
    )


DAMAGE = [
    "UPDATE scores SET value = value + 1e-9 WHERE architecture = ? AND proxy = 'l2_norm'",
    "UPDATE scores SET own_seconds = own_seconds * (1 + 1e-12) WHERE architecture = ?",
    "UPDATE scores SET standalone_seconds = standalone_seconds + 1 WHERE architecture = ? AND proxy = 'l2_norm'",
    "UPDATE scores SET forward_backward_seconds = 1 WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET status = 'failed', value = NULL WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET status = 'oK' WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET error = '' WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET error = CAST(X'ff41' AS TEXT) WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET version = version + 2 WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET value = 'text' WHERE architecture = ? AND proxy = 'params'",
    "UPDATE scores SET proxy = 'paramt' WHERE architecture = ? AND proxy = 'params'",
    "DELETE FROM scores WHERE architecture = ? AND proxy = 'params'",
    "DELETE FROM scores WHERE architecture = ?",
    "UPDATE unit_checksums SET checksum = checksum + 1 WHERE architecture = ?",
    "DELETE FROM unit_checksums WHERE architecture = ?",
]


class TestADamagedOutcome:
    @pytest.mark.parametrize("damage", DAMAGE)
    def test_it_is_named_and_computed_again(self, run, damage):
        before, name = scores(run), first(run)
        change(run, damage, name)
        with pytest.raises(StoreError, match=r"'harness run' with the same settings computes them again") as refused:
            scores(run)
        assert f"'{name}'" in str(refused.value)
        wrong = {finding.what: finding.words for finding in verify(run) if not finding.right}
        assert name in wrong["checksums"]
        result = go_on(run)
        assert result.exit_code == 0, result.output
        assert f"note: damaged outcomes of '{name}' were removed" in result.output
        assert "4 networks scored, 1 of them now" in result.output
        pd.testing.assert_frame_equal(scores(run), before, check_exact=True)
        assert all(finding.right for finding in verify(run))

    def test_no_reader_accepts_it(self, run, kept, tmp_path):
        change(run, DAMAGE[0], first(run))
        for read in (
            lambda: harness.report(run),
            lambda: export(run, tmp_path / "scores.csv"),
            lambda: harness.merge([run], tmp_path / "merged"),
            lambda: harness.merge([kept], run),
            lambda: harness.api.agreement(run, kept),
        ):
            with pytest.raises(StoreError, match="are damaged"):
                read()
        assert not (tmp_path / "merged").exists()

    def test_the_others_can_be_exported(self, run, tmp_path):
        name, before = first(run), scores(run)
        change(run, DAMAGE[7], name)
        file = tmp_path / "rest.csv"
        result = CliRunner().invoke(app, ["store", "export", str(run), "--out", str(file), "--leave-out-damaged"])
        assert result.exit_code == 0, result.output
        assert json.loads((tmp_path / "rest.csv.json").read_text())["left_out_as_damaged"] == [name]
        restore(file, tmp_path / "again")
        rest = before[before["architecture"] != name].reset_index(drop=True)
        pd.testing.assert_frame_equal(scores(tmp_path / "again"), rest, check_exact=True)

    def test_adding_a_proxy_does_not_hide_it(self, run, kept):
        with Store.read(run) as model, Store.create_or_open_like(run, model) as store:
            change(run, DAMAGE[0], name := first(kept))
            store.connection.execute("DELETE FROM scores WHERE architecture = ? AND proxy = 'params'", (name,))
            store.outcomes.add([(name, *ROW[1:])])
            assert store.damaged_units() == [name]

    def test_scores_that_a_run_does_not_recompute_are_named(self, run):
        change(run, DAMAGE[0], first(run))
        result = go_on(run, proxies="params")
        assert "to recompute l2_norm too, run again with these proxies" in result.output.replace("\n", " ")


class TestAStoreThatIsLargerThanOnePart:
    @pytest.fixture(autouse=True, params=[1, 3, 5])
    def small_parts(self, monkeypatch, request):
        monkeypatch.setattr(store_checksums, "_FETCHED", request.param)
        monkeypatch.setattr(store_checksums.values_of, "__defaults__", (request.param,))

    def test_a_sound_one(self, run):
        assert Store.read(run).damaged_units() == []

    @pytest.mark.parametrize("damage", [DAMAGE[0], DAMAGE[10], DAMAGE[12], DAMAGE[14]])
    def test_a_damaged_one(self, run, damage):
        for name in scores(run)["architecture"].unique():
            place = shutil.copytree(run, run.with_name(f"copy{random.random()}"))
            change(place, damage, name)
            assert Store.read(place).damaged_units() == [name]

    def test_one_that_grows_meanwhile(self, run, monkeypatch):
        with Store.read(run) as reader, Store.create_or_open_like(run, reader) as writer:
            read = store_checksums.values_of
            names = iter(range(100))

            def while_it_grows(*arguments):
                for values in read(*arguments):
                    yield values
                    writer.outcomes.add([(f"new {next(names)}", *ROW[1:])])

            monkeypatch.setattr(store_checksums, "values_of", while_it_grows)
            assert reader.damaged_units() == []
            assert next(names) > 0


class TestTheManifest:
    @pytest.mark.parametrize("key", ["setting", "checksum", "processor", "schema"])
    def test_a_damaged_entry_is_named_and_repaired_by_the_same_run(self, run, key):
        change(run, "UPDATE manifest SET value = replace(value, substr(value, 2, 1), '9') WHERE key = ?", key)
        if key == "schema":
            change(run, "UPDATE manifest SET value = '3' WHERE key = ?", key)
        with pytest.raises(StoreError, match=f"is damaged or was edited, entry '{key}'"):
            scores(run)
        result = go_on(run)
        assert result.exit_code == 0, result.output
        assert f"note: the manifest was damaged, entry '{key}'; it was repaired" in result.output
        assert all(finding.right for finding in verify(run))

    def test_another_run_does_not_repair_it(self, run):
        change(run, "UPDATE manifest SET value = '\"x\"' WHERE key = 'processor'")
        with pytest.raises(StoreError, match="is damaged or was edited"):
            harness.run("digits", out=run, **SETTING, seed=3)


class TestAStoreOfBeforeThereWereChecksums:
    @pytest.fixture
    def old(self, run):
        for table in ("unit_checksums", "manifest_checksums"):
            change(run, f"DROP TABLE {table}")
        change(run, "UPDATE manifest SET value = '1' WHERE key = 'schema'")
        return run

    def test_it_is_read_and_merged_and_says_so_once(self, old, kept, tmp_path):
        pd.testing.assert_frame_equal(scores(old), scores(kept))
        lines = [finding.line() for finding in verify(old) if "checksums" in finding.line()]
        assert lines == [
            "✓ checksums: none, since an older version wrote the store; 'harness run' with the same settings adds them"
        ]
        assert harness.merge([old], tmp_path / "merged").added == 8
        assert not Store.read(tmp_path / "merged").damaged_units()

    def test_it_has_checksums_when_it_is_written_to(self, old):
        result = go_on(old)
        assert "note: an older version wrote the store without checksums" in result.output
        assert "note" not in go_on(old).output
        change(old, DAMAGE[0], name := first(old))
        assert Store.read(old).damaged_units() == [name]

    def test_a_setting_that_was_changed_by_hand_is_refused_all_the_same(self, old):
        change(old, """UPDATE manifest SET value = replace(value, '"seed": 0', '"seed": 7') WHERE key = 'setting'""")
        with pytest.raises(StoreError, match=r"the setting in .* was edited"):
            Store.read(old)

    def test_compacting_adds_them_too(self, old):
        compact(old)
        assert {finding.what for finding in verify(old) if "of every network match" in finding.words} == {"checksums"}


class TestTheChecksum:
    def test_every_bit_of_every_column_counts(self):
        draw = random.Random(0)
        seen = {checksum(ROW)}
        for place, value in enumerate(ROW):
            for bit in range(64 if isinstance(value, float) else 8):
                changed = flipped(value, bit, draw)
                other = checksum((*ROW[:place], changed, *ROW[place + 1 :]))
                assert other not in seen, (place, bit)
                seen.add(other)

    def test_it_is_the_same_on_every_machine(self):
        assert checksum(ROW) == 1601999507212905679
        assert checksum(("ä", "x", 2, "non_finite", None, "why", 0.0, 1e300, None)) == 12779237674493672382

    def test_columns_are_told_apart(self):
        assert checksum((*ROW[:6], 0.5, 0.25, 0.125)) != checksum(ROW)

    def test_minus_zero_is_zero_and_absent_is_nan(self):
        assert checksum((*ROW[:4], 0.0, *ROW[5:])) == checksum((*ROW[:4], -0.0, *ROW[5:]))
        assert checksum((*ROW[:4], None, *ROW[5:])) == checksum((*ROW[:4], math.nan, *ROW[5:]))


def checksum(row):
    (number,) = row_checksums(columns_of(by_column([row])))
    return int(number)


def flipped(value, bit, draw):
    if isinstance(value, float):
        return np.frombuffer((int(np.float64(value).view(np.uint64)) ^ 1 << bit).to_bytes(8, "little"))[0].item()
    if isinstance(value, int):
        return value ^ (2 << bit)
    return f"{value or ''}{chr(97 + bit)}"


def test_a_file_without_its_tables_is_named(run):
    change(run, "DROP TABLE manifest")
    with pytest.raises(HarnessError, match="unexpected tables"):
        scores(run)
    with pytest.raises(HarnessError):
        harness.run("digits", out=run, **SETTING)
