"""What programs read: the version, JSON and completions; and figures for any value of MPLBACKEND."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

import harness
from harness import registry


class TestForPrograms:
    def test_version(self, called):
        out, _, code = called("--version")
        assert (out, code) == (f"harness {harness.__version__}\n", 0)

    def test_lists_and_status(self, called, tmp_path, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        proxies = json.loads(called("list", "proxies", "--json", encoding="ascii")[0])
        assert {entry["name"] for entry in proxies["proxies"]} == set(registry.proxies())
        assert "nwot" in next(entry for entry in proxies["proxies"] if entry["name"] == "naswot")["aliases"]
        benchmarks = json.loads(called("list", "benchmarks", "--json")[0])
        assert {entry["name"] for entry in benchmarks["benchmarks"]} == set(registry.benchmark_classes())
        status = json.loads(called("data", "status", "--json")[0])
        assert status["ground_truth"]["digits"]["state"] == "comes with the package"
        assert status["ground_truth"]["nats-tss"]["state"] == "missing"

    def test_a_report_has_every_digit_and_null_for_what_is_undefined(self, called, digits_runs):
        out, _, code = called("report", digits_runs[0], "--json")
        assert code == 0
        document = json.loads(out)
        table = harness.report(digits_runs[0]).correlations
        read = pd.DataFrame(document["correlations"])
        pd.testing.assert_frame_equal(read[["proxy", "kendall"]], table[["proxy", "kendall"]].reset_index(drop=True),
                                      check_exact=True)  # fmt: skip
        base = next(row for row in document["correlations"] if row["verdict"] == "baseline")
        assert base["p_value"] is None

    @pytest.mark.parametrize(
        ("words", "offered"),
        [("harness run nats", {"nats-tss", "nats-sss"}), ("harness run digits --proxies snip,zi", {"snip,zico"})],
    )
    @pytest.mark.parametrize("shell", ["bash", "zsh"])
    def test_a_shell_is_offered_names(self, shell, words, offered):
        environment = {"bash": {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))},
                       "zsh": {"_TYPER_COMPLETE_ARGS": words}}[shell]  # fmt: skip
        code = "import sys; sys.argv = ['harness']; from harness.cli import main; main()"
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | environment | {"_HARNESS_COMPLETE": f"complete_{shell}"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert all(name in found.stdout for name in offered), found.stderr

    def test_every_registered_name_can_be_completed(self):
        from harness.cli import completion

        assert completion.rows("") == sorted([*registry.proxies(), *registry.aggregates()])

    def test_figures_are_drawn_whatever_the_backend_variable_says(self, tmp_path):
        code = "import harness.display.figures.bars, matplotlib.figure, os; print(os.environ.get('MPLBACKEND'))"
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"MPLBACKEND": "module://no_such_package.backend_inline"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert found.stdout == "None\n"

    def test_a_backend_that_is_there_is_left_alone(self, monkeypatch):
        from harness.display.figures.style import ignore_missing_backend

        monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
        monkeypatch.setenv("MPLBACKEND", "module://harness.reporting.style")
        ignore_missing_backend()
        assert os.environ["MPLBACKEND"] == "module://harness.reporting.style"
