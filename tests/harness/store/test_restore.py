"""A run restored from its published scores has them to the last bit, and can be resumed."""

import json
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app
from harness.errors import HarnessError, StoreError
from harness.store import Store
from harness.store.maintenance import export
from harness.store.restore import restore

SAMPLE = {"sample_seed": 0, "batch_size": 8}


def scores(directory):
    with Store.read(directory) as store:
        return store.scores()


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_an_export_comes_back_to_the_last_bit(digits_runs, tmp_path, ending):
    export(digits_runs[0], tmp_path / f"scores{ending}")
    assert restore(tmp_path / f"scores{ending}", tmp_path / "again") == len(scores(digits_runs[0]))
    pd.testing.assert_frame_equal(scores(tmp_path / "again"), scores(digits_runs[0]), check_exact=True)


def test_a_restored_run_resumes_as_if_it_had_never_stopped(digits_runs, tmp_path):
    harness.report(digits_runs[0]).write(tmp_path / "report")
    result = CliRunner().invoke(app, ["store", "restore", str(tmp_path / "report"), "--out", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    assert "192 outcomes restored" in result.output
    for directory in ("again", "fresh"):
        harness.run("digits", sample=26, proxies="params,snip", out=tmp_path / directory, **SAMPLE)
    values = [
        table[table["proxy"].isin(["params", "snip"])].set_index(["architecture", "proxy"])["value"]
        for table in (scores(tmp_path / "again"), scores(tmp_path / "fresh"))
    ]
    assert len(values[0]) == 2 * 26
    pd.testing.assert_series_equal(*values, check_exact=True)


def test_proxies_that_are_left_out_are_computed_again(digits_runs, tmp_path):
    export(digits_runs[0], tmp_path / "scores.csv")
    command = ["store", "restore", str(tmp_path / "scores.csv"), "--without", "snip,params", "--out"]
    result = CliRunner().invoke(app, [*command, str(tmp_path / "again")])
    assert "144 outcomes restored" in result.output
    assert not {"snip", "params"} & set(scores(tmp_path / "again")["proxy"])
    harness.run("digits", sample=24, proxies="params,snip", out=tmp_path / "again", **SAMPLE)
    again, before = (
        table.set_index(["architecture", "proxy"])["value"]
        for table in map(scores, (tmp_path / "again", digits_runs[0]))
    )
    pd.testing.assert_series_equal(again, before.reindex(again.index), check_exact=True)
    assert len(again) == len(before)
    with pytest.raises(HarnessError, match="has no scores of sniq; it has scores of flops, naswot"):
        restore(tmp_path / "scores.csv", tmp_path / "third", without=["snip", "sniq"])


def test_it_does_not_resume_with_other_images(digits_runs, tmp_path):
    export(digits_runs[0], tmp_path / "scores.csv")
    restore(tmp_path / "scores.csv", tmp_path / "again")
    with pytest.raises(StoreError, match="other settings"):
        harness.run("digits", sample=24, seed=1, proxies="params", out=tmp_path / "again", **SAMPLE)


def test_a_run_is_not_written_over(digits_runs, tmp_path):
    export(digits_runs[1], tmp_path / "scores.csv")
    run = shutil.copytree(digits_runs[0], tmp_path / "run")
    with pytest.raises(StoreError, match="already contains a run"):
        restore(tmp_path / "scores.csv", run)
    pd.testing.assert_frame_equal(scores(run), scores(digits_runs[0]))


def test_a_setting_that_was_changed_by_hand_is_refused(digits_runs, tmp_path):
    export(digits_runs[0], tmp_path / "scores.csv")
    beside = tmp_path / "scores.csv.json"
    manifest = json.loads(beside.read_text())
    manifest["setting"]["seed"] = 7
    beside.write_text(json.dumps(manifest))
    with pytest.raises(HarnessError, match="was edited"):
        restore(tmp_path / "scores.csv", tmp_path / "again")


@pytest.mark.parametrize("checksum", ["scores_sha256", "manifest_sha256"])
def test_a_manifest_from_which_one_checksum_was_cut_out_is_refused(digits_runs, tmp_path, checksum):
    """Who changed the file on purpose removes both, as the message says; one that is gone alone was lost."""
    export(digits_runs[0], tmp_path / "scores.csv")
    beside = tmp_path / "scores.csv.json"
    manifest = json.loads(beside.read_text())
    del manifest[checksum]
    beside.write_text(json.dumps(manifest))
    with pytest.raises(HarnessError, match=r"scores\.csv\.json' is damaged or was edited"):
        restore(tmp_path / "scores.csv", tmp_path / "again")


def test_missing_or_invalid_tables_are_named(digits_runs, tmp_path):
    with pytest.raises(HarnessError, match="no table of scores"):
        restore(tmp_path / "scores.csv", tmp_path / "again")
    export(digits_runs[0], tmp_path / "scores.csv")
    (tmp_path / "scores.csv").write_text("a,b\n1,2\n")
    with pytest.raises(HarnessError, match=r"scores\.csv' is damaged or was edited"):
        restore(tmp_path / "scores.csv", tmp_path / "again")
    manifest = json.loads((tmp_path / "scores.csv.json").read_text())
    del manifest["scores_sha256"], manifest["manifest_sha256"]
    (tmp_path / "scores.csv.json").write_text(json.dumps(manifest))
    with pytest.raises(HarnessError, match="is not a table of scores"):
        restore(tmp_path / "scores.csv", tmp_path / "again")
    (tmp_path / "scores.csv.json").unlink()
    with pytest.raises(HarnessError, match="no manifest beside it"):
        restore(tmp_path / "scores.csv", tmp_path / "again")
    assert not (tmp_path / "again" / "scores.sqlite").exists()
