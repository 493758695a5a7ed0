"""Verifying finds what is wrong with a run, exporting loses nothing, compacting keeps every score."""

import json
import shutil
import sqlite3

import pandas as pd
import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app
from harness.errors import HarnessError
from harness.store import Store
from harness.store.checksums import checksums_of_everything
from harness.store.maintenance import compact, export, verify
from harness.store.sqlite import FILE_NAME


@pytest.fixture
def run(digits_runs, tmp_path):
    return shutil.copytree(digits_runs[0], tmp_path / "run")


def read(directory):
    with Store.read(directory) as store:
        return store.scores()


def change(run_directory, statement, *values):
    with sqlite3.connect(run_directory / FILE_NAME) as connection:
        connection.execute(statement, values)
        checksums_of_everything(connection)
    connection.close()


def wrong(directory):
    return {finding.what: finding.words for finding in verify(directory) if not finding.right}


class TestVerifying:
    def test_a_sound_run(self, run):
        assert wrong(run) == {}
        assert "24, all of digits" in "\n".join(finding.line() for finding in verify(run))

    def test_missing_mini_batches(self, run):
        (run / "batches.npz").unlink()
        assert "missing" in wrong(run)["mini-batches"]

    def test_mini_batches_of_another_run(self, run, digits_runs):
        shutil.copyfile(digits_runs[1] / "batches.npz", run / "batches.npz")
        assert "differ from those of this run's scores" in wrong(run)["mini-batches"]

    def test_architectures_of_another_benchmark(self, run):
        first = read(run)["architecture"].min()
        change(run, "UPDATE scores SET architecture = 'nonsense' WHERE architecture = ?", first)
        assert wrong(run)["architectures"] == "1 of 24 do not belong to digits, such as 'nonsense'"

    def test_failed_outcomes(self, run):
        change(run, "UPDATE scores SET status = 'failed', value = NULL WHERE proxy = 'zen'")
        assert wrong(run)["outcomes"] == "24 failed, 168 ok"

    def test_a_setting_that_was_changed_by_hand_is_refused(self, run):
        setting = json.dumps({**read_setting(run), "seed": 5})
        change(run, "UPDATE manifest SET value = ? WHERE key = 'setting'", setting)
        with pytest.raises(HarnessError, match="was edited"):
            verify(run)

    def test_a_damaged_file(self, run):
        with sqlite3.connect(run / FILE_NAME) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        raw = bytearray((run / FILE_NAME).read_bytes())
        raw[-3000:-100] = b"\xff" * 2900
        (run / FILE_NAME).write_bytes(raw)
        assert f"{FILE_NAME} is damaged" in wrong(run)["file"]

    def test_the_command_fails_if_something_is_wrong(self, run):
        assert CliRunner().invoke(app, ["store", "verify", str(run)]).exit_code == 0
        (run / "batches.npz").unlink()
        result = CliRunner().invoke(app, ["store", "verify", str(run)])
        assert result.exit_code == 1
        assert "✗ mini-batches" in result.output


def read_setting(directory):
    with Store.read(directory) as store:
        return store.manifest()["setting"]


class TestExporting:
    @pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.parquet"])
    def test_every_format_holds_every_outcome_exactly(self, run, tmp_path, name):
        assert export(run, tmp_path / "new" / name) == 192
        file = tmp_path / "new" / name
        table = pd.read_parquet(file) if name.endswith("parquet") else pd.read_csv(file)
        pd.testing.assert_frame_equal(table, read(run), check_dtype=False, check_exact=True)
        manifest = json.loads((tmp_path / "new" / f"{name}.json").read_text(encoding="utf-8"))
        assert manifest["setting"]["benchmark"] == "digits"

    def test_another_ending_is_refused(self, run, tmp_path):
        with pytest.raises(HarnessError, match=r"unknown format of 'scores.xlsx'; use one of .csv"):
            export(run, tmp_path / "scores.xlsx")


class TestCompacting:
    def test_unused_space_is_freed_and_no_score_lost(self, run):
        with sqlite3.connect(run / FILE_NAME) as connection:
            connection.execute("CREATE TABLE ballast (x)")
            connection.execute("INSERT INTO ballast VALUES (zeroblob(1000000))")
            connection.execute("DROP TABLE ballast")
        connection.close()
        scores = read(run)
        before, after = compact(run)
        assert before > 1_000_000 > after
        pd.testing.assert_frame_equal(read(run), scores, check_exact=True)
        assert verify(run)[0].right

    def test_a_run_that_is_being_written_is_left_alone(self, run):
        with (
            Store.read(run) as model,
            Store.create_or_open_like(run, model),
            pytest.raises(HarnessError, match="another run is writing"),
        ):
            compact(run)


def test_there_must_be_a_run(tmp_path):
    for act in (verify, compact, lambda place: export(place, tmp_path / "x.csv")):
        with pytest.raises(HarnessError, match="no run in "):
            act(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_merge_by_command(digits_runs, tmp_path):
    result = CliRunner().invoke(app, ["merge", str(digits_runs[0]), "--out", str(tmp_path / "merged")])
    assert result.exit_code == 0, result.output
    assert "24 networks with 192 outcomes, 192 of them added and 0 repaired now" in result.output.replace("\n", " ")
    assert harness.report(tmp_path / "merged").heading.networks == 24
