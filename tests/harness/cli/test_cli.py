"""The command line: the main job end to end, and one clear line with exit code 2 for errors that the user can fix."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app, main
from harness.errors import HarnessError

SMALL = ["--sample", "12", "--batch-size", "16", "--proxies", "params,flops,snip,naswot"]


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def call(*arguments):
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    call("run", "digits", *SMALL, "--out", directory)
    return directory


class TestMainJob:
    def test_run_says_what_it_did_and_what_comes_next(self, finished):
        again = call("run", "digits", *SMALL, "--out", finished)
        assert again.stdout == f"12 networks scored, 0 of them now; next: harness report {finished}\n"
        assert again.stderr == "", "nothing was computed, so there is no progress to tell"

    def test_report_prints_the_table_under_its_facts(self, finished, tmp_path):
        output = call("report", finished, "--out", tmp_path, "--no-figures").stdout
        for text in (
            "12 architectures drawn uniformly",
            "seed 0",
            "mean over",
            "#Params",
            "NASWOT",
            "τ",
            "ρ",
            "◆",
        ):
            assert text in output
        assert "\x1b[" not in output, "no colour codes where there is no terminal"

    def test_report_writes_tables_figures_and_the_manifest(self, finished):
        call("report", finished)
        names = {path.name for path in (finished / "report").iterdir()}
        assert {"correlations.csv", "correlations.md", "correlations.tex", "costs.csv", "manifest.json"} <= names
        assert {path.rpartition(".")[2] for path in names} >= {"pdf", "png"}
        table = pd.read_csv(finished / "report" / "correlations.csv")
        assert set(table["proxy"]) == {"params", "flops", "snip", "naswot"}
        assert set(table["set"]) == {"all", "connected", "reachable", "unique"}
        manifest = json.loads((finished / "report" / "manifest.json").read_text())
        assert manifest["setting"]["batch_size"] == 16

    def test_python_gives_the_same_table(self, finished):
        call("report", finished, "--no-figures")
        written = pd.read_csv(finished / "report" / "correlations.csv")
        table = harness.report(finished).correlations
        pd.testing.assert_frame_equal(table.reset_index(drop=True), written, check_dtype=False)

    def test_noise_is_announced(self, tmp_path):
        call("run", "digits", "--sample", "4", "--batch-size", "8", "--proxies", "params,snip", "--images", "noise",
             "--out", tmp_path)  # fmt: skip
        assert "NOISE, NO REAL IMAGES" in call("report", tmp_path, "--no-figures").stdout


class TestListing:
    def test_proxies_come_with_direction_and_paper(self):
        output = call("list", "proxies").stdout
        for text in ("synflow", "higher", "labels", "arXiv"):
            assert text in output

    def test_benchmarks_come_with_what_they_need(self):
        output = call("list", "benchmarks").stdout
        for text in ("digits", "nats-tss", "nothing", "import"):
            assert text in output

    def test_data_status_tells_what_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        output = call("data", "status").stdout
        assert "missing" in output
        assert "comes with the package" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "digit", "--out", "OUT"], "unknown benchmark 'digit': did you mean 'digits'?"),
        (["run", "digits", "--proxies", "synflo", "--out", "OUT"], "unknown proxy 'synflo': did you mean"),
        (["run", "digits", "--dataset", "cifar10", "--out", "OUT"], "unknown dataset of digits 'cifar10'"),
        (["run", "digits", "--set", "al", "--out", "OUT"], "unknown set of digits 'al': did you mean 'all'"),
        (["run", "digits", "--sample", "0", "--out", "OUT"], "cannot draw a sample of 0"),
        (["run", "digits", "--images", "OUT/none.bin", "--out", "OUT"], "none.bin"),
        (["run", "digits", "--batch-size", "100000", "--out", "OUT"], "batch"),
        (["run", "nats-tss", "--out", "OUT"], "give --images"),
        (["run", "digits", "--device", "tpu", "--out", "OUT"], "unknown device 'tpu'"),
        (["report", "OUT"], "no run in "),
        (["report", "FINISHED", "--truth", "test/7"], "ground truth of digits"),
        (["report", "FINISHED", "--truth", "test/x"], "unknown ground truth of digits 'test/x'"),
        (["report", "FINISHED", "--baseline", "parms"], "unknown proxy 'parms': did you mean 'params'"),
        (["data", "import", "nats-tss", "OUT/none.csv"], "none.csv"),
        (["data", "import", "digits", "OUT/none.csv"], "nothing to import"),
        (["run", "digits", *SMALL, "--seed", "5", "--out", "FINISHED"], "seed: stored '0', now '5'"),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_2(arguments, message, tmp_path, finished, monkeypatch, capsys):
    places = {"OUT": str(tmp_path), "FINISHED": str(finished)}
    filled = [places.get(a, a.replace("OUT/", f"{tmp_path}/")) for a in arguments]
    monkeypatch.setattr(sys, "argv", ["harness", *filled])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("harness: ")
    assert error.count("\n") == 1


def test_the_process_ends_with_that_code_and_line():
    command = [sys.executable, "-m", "harness", "run", "digit", "--out", "OUT"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr.startswith("harness: unknown benchmark 'digit': did you mean 'digits'?")
    assert process.stderr.count("\n") == 1


def test_the_command_line_starts_without_torch():
    code = "import sys, harness.cli, harness; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestAgreement:
    def test_a_run_agrees_with_itself(self, finished):
        output = call("agree", finished, finished).stdout
        assert output.count("1.000") >= 4

    def test_a_table_with_other_names_and_a_sentinel(self, finished, tmp_path):
        scores = harness.report(finished).scores
        theirs = scores.pivot(index="architecture", columns="proxy", values="value")[["naswot", "snip"]]
        theirs = theirs.rename(columns={"naswot": "nwot"}).rename_axis("net_str").reset_index()
        theirs.loc[0, "nwot"] = -1e8
        theirs.to_csv(tmp_path / "theirs.csv", index=False)
        call("agree", finished, tmp_path / "theirs.csv", "--rename", "nwot=naswot", "--sentinel", "-1e8",
             "--out", tmp_path / "table.csv")  # fmt: skip
        table = pd.read_csv(tmp_path / "table.csv").set_index("proxy")
        assert dict(table["networks"]) == {"naswot": 11, "snip": 12}
        assert (table["spearman"] == 1).all()

    def test_bad_input_is_named(self, finished, tmp_path):
        (tmp_path / "theirs.csv").write_text("name,snip\na,1\n")
        with pytest.raises(HarnessError, match="has no column 'arch' or 'architecture'"):
            invoke("agree", finished, tmp_path / "theirs.csv")
        with pytest.raises(HarnessError, match="write CSV_NAME=PROXY"):
            invoke("agree", finished, finished, "--rename", "x")
