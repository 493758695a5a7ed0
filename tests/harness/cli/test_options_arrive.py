"""Every option of a command reaches the function that it is for, under its own name and with the value typed.

Each command is typed with all its options, none of them with its default; what it calls notes what it was given.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from harness.cli import app
from harness.display.figures.style import inches

SHOWN = {"--set": "connected", "--truth": "val/7", "--out": "out", "--width": "2"}
OPENED = {"directory": Path("RUN"), "split": "val", "epochs": 7}
BESIDE = {"--beside": "test/3"}

ANALYSES = {
    "beyond-size": ({"--given": "flops", "--bins": "7", **BESIDE}, {"given": "flops", "bins": 7}),
    "bias": (BESIDE, {}),
    "bootstrap": ({"--baseline": "flops", "--resamples": "77", **BESIDE}, {"baseline": "flops", "resamples": 77}),
    "budgets": ({"--cost": "flops", "--quantiles": "7,33"}, {"costs": ["flops"], "quantiles": [0.07, 0.33]}),
    "pairs": ({"--against": "flops", **BESIDE}, {"against": "flops"}),
    "pareto": ({"--cost": "flops", "--show": "zen"}, {"costs": ["flops"], "shown": ["zen"]}),
    "redundancy": (BESIDE, {}),
    "required-n": (
        {"--difference": "0.07", "--power": "0.7", "--baseline": "flops", "--draws": "77", **BESIDE},
        {"difference": 0.07, "power": 0.7, "baseline": "flops", "draws": 77},
    ),
    "search": (
        {"--draws": "7,9", "--without-replacement": None, "--repetitions": "77", "--seed": "5", "--show": "zen"},
        {"draws": [7, 9], "replacement": False, "repetitions": 77, "seed": 5, "shown": ["zen"]},
    ),
    "selection": (
        {"--k": "7", "--percent": "9", "--baseline": "flops", "--highlight": "zen", **BESIDE},
        {"counts": [7], "percents": [9.0], "baseline": "flops", "highlight": ["zen"]},
    ),
    "top": (
        {"--by": "proxy", "--percent": "9", "--baseline": "flops", "--highlight": "zen", **BESIDE},
        {"by": "proxy", "percents": [9.0], "baseline": "flops", "highlight": ["zen"]},
    ),
}
"""The options of each analysis, but for those that all have, and what they are to its exhibit."""


class Noted(dict):
    """The arguments of the functions that were called, by the name of the function."""

    def instead_of(self, monkeypatch, module, name, gives=None):
        """Note the arguments of a function in place of calling it."""
        owner = importlib.import_module(module)
        signature = inspect.signature(getattr(owner, name))

        def note(*given, **named):
            self[name] = dict(signature.bind(*given, **named).arguments)
            return gives

        monkeypatch.setattr(owner, name, note)


@pytest.fixture
def noted():
    return Noted()


def typed(command, options, *arguments):
    words = [word for option, value in options.items() for word in ([option] if value is None else [option, value])]
    result = CliRunner().invoke(app, [*command.split(), *arguments, *words])
    assert result.exit_code == 0, result.output or result.exception
    return result


def options_of(*names):
    command = get_command(app)
    for name in names:
        command = command.commands[name]
    return {option.opts[0] for option in command.params if option.param_type_name == "option"} - {"--help"}


@pytest.mark.parametrize("name", ANALYSES)
def test_of_an_analysis(noted, monkeypatch, name):
    function = name.replace("-", "_")
    options, expected = ANALYSES[name]
    written = {}
    exhibit = SimpleNamespace(
        show=lambda console: None, write=lambda out, width: written.update(out=out, width=width) or []
    )
    noted.instead_of(monkeypatch, "harness.results", "open_run", "the run")
    noted.instead_of(monkeypatch, f"harness.exhibits.{function}", function, exhibit)
    assert options_of("analyse", name) == options.keys() | SHOWN.keys(), "an option that is not typed here"
    typed(f"analyse {name}", {**options, **SHOWN}, "RUN")
    beside = ["test/3"] if "--beside" in options else []
    assert noted["open_run"] == {**OPENED, "beside": beside}
    assert noted[function] == {"run": "the run", "subset": "connected", **expected}
    assert written == {"out": Path("out"), "width": inches("2")}


def test_of_run(noted, monkeypatch):
    plan = SimpleNamespace(notice="")
    summary = SimpleNamespace(done=3, interrupted=False, units=3, computed=1)
    noted.instead_of(monkeypatch, "harness.execution.plan", "make_plan", plan)
    noted.instead_of(monkeypatch, "harness.execution.runner", "run", summary)
    noted.instead_of(monkeypatch, "harness.execution.dask_executor", "DaskExecutor", "the cluster")
    options = {
        "--out": "out", "--dataset": "cifar100", "--sample": "7", "--set": "connected", "--seed": "5",
        "--sample-seed": "6", "--proxies": "snip,zen", "--proxy": "own.py:own", "--images": "noise",
        "--random-labels": None, "--batch-size": "9", "--resolution": "11", "--workers": "3", "--shard": "2/4",
        "--once-per-class": None, "--executor": "dask", "--scheduler": "tcp://here", "--time-limit": "77",
        "--memory-limit": "3GB", "--device": "cuda:1", "--retry-failed": None,
    }  # fmt: skip
    assert options_of("run") == options.keys()
    typed("run", options, "nats-tss")
    assert noted["make_plan"]["benchmark"] == "nats-tss"
    given = vars(noted["make_plan"]["options"])
    computed = noted["run"]
    assert given["executor"]() == computed.pop("executor")() == "the cluster"
    assert noted["DaskExecutor"] == {"scheduler": "tcp://here", "gpus": 1}
    assert {name: value for name, value in given.items() if name not in ("progress", "executor")} == {
        "dataset": "cifar100", "sample": 7, "subset": "connected", "seed": 5, "sample_seed": 6,
        "proxies": ["snip", "zen", "own.py:own"], "images": "noise", "labels": "random", "batch_size": 9,
        "resolution": 11, "workers": 3, "shard": (2, 4), "once_per_class": True, "device": "cuda:1",
        "time_limit": 77.0, "memory_limit": 3 * 10**9, "retry_failed": True,
    }  # fmt: skip
    assert {name: value for name, value in computed.items() if name not in ("progress", "say")} == {
        "plan": plan, "directory": Path("out"), "workers": 3, "time_limit": 77.0, "memory_limit": 3 * 10**9,
        "retry_failed": True,
    }  # fmt: skip


def test_of_report(noted, monkeypatch):
    report = SimpleNamespace(write=lambda directory, **options: noted.update(write=options) or [], html=lambda: "page")
    noted.instead_of(monkeypatch, "harness.api", "report", report)
    noted.instead_of(monkeypatch, "harness.cli.machine_readable", "report_document", {})
    monkeypatch.setattr("harness.cli.write_page", lambda file, text: noted.update(page=(file, text)))
    options = {
        "--truth": "val/7", "--out": "out", "--baseline": "flops", "--beside": "test/3", "--published": "table.csv",
        "--figures": None, "--width": "2", "--html": "page.html", "--json": None,
    }  # fmt: skip
    assert options_of("report") == options.keys()
    typed("report", options, "RUN")
    assert noted["report"] == {
        "directory": Path("RUN"), "split": "val", "epochs": 7, "baseline": "flops", "beside": ["test/3"],
        "published": Path("table.csv"),
    }  # fmt: skip
    assert noted["write"] == {"figures": True, "width": inches("2")}
    assert noted["page"] == (Path("page.html"), "page")


@pytest.mark.parametrize(
    ("allow", "allowed"), [("--allow-changed", {"changed"}), ("--allow-slower", {"slower"}), (None, set())]
)
def test_of_a_check(noted, monkeypatch, allow, allowed):
    frozen = SimpleNamespace(truth=SimpleNamespace(split="val", epochs=7))
    noted.instead_of(monkeypatch, "harness.gate", "read_baseline", frozen)
    noted.instead_of(monkeypatch, "harness.results", "open_run", "the run")
    noted.instead_of(monkeypatch, "harness.gate", "compare_with_costs", SimpleNamespace(alarms=[]))
    monkeypatch.setattr("harness.cli.gate._tell", lambda outcome, *files: noted.update(files=files))
    options = {
        "--baseline": "frozen", "--tolerance": "0.07", "--slower": "1.7", "--slower-elsewhere": "3.3",
        "--float-tolerance": "0.2", "--markdown": "a.md", "--junit": "b.xml", "--json": "c.json",
    }  # fmt: skip
    typed("check", options | ({allow: None} if allow else {}), "RUN")
    assert noted["read_baseline"] == {"directory": Path("frozen")}
    assert noted["open_run"] == {**OPENED, "beside": []}, "the truth that the baseline was ranked against"
    compared = noted["compare_with_costs"]
    limits = compared["limits"]
    assert (limits.tolerance, limits.slower, limits.slower_elsewhere, limits.floats) == (0.07, 1.7, 3.3, 0.2)
    assert set(compared["allowed"]) == allowed
    assert (compared["baseline"], compared["run"]) == (frozen, "the run")
    assert noted["files"] == (Path("a.md"), Path("b.xml"), Path("c.json"))


def test_of_a_check_that_runs(noted, monkeypatch):
    noted.instead_of(monkeypatch, "harness.gate", "read_baseline", "frozen")
    noted.instead_of(monkeypatch, "harness.gate.rerun", "rerun", "the run")
    noted.instead_of(monkeypatch, "harness.gate", "compare_with_costs", SimpleNamespace(alarms=[]))
    monkeypatch.setattr("harness.cli.gate._tell", lambda outcome, *files: None)
    options = {
        "--baseline": "frozen", "--proxy": "own.py:own", "--images": "noise", "--workers": "3", "--out": "out",
    }  # fmt: skip
    typed("check", options)
    noted["rerun"].pop("progress")
    assert noted["rerun"] == {
        "baseline": "frozen", "out": Path("out"), "images": "noise", "own": ["own.py:own"], "workers": 3,
    }  # fmt: skip


def test_of_a_reproduction(noted, monkeypatch):
    result = SimpleNamespace(show=lambda console: None, write=lambda out, figures: noted.update(figures=figures) or [])
    noted.instead_of(monkeypatch, "harness.reproduction.reproduce", "reproduce", result)
    options = {
        "--out": "out", "--sample": "7", "--images": "cifar10=noise", "--parts": "a,b", "--runs": "a=there",
        "--no-run": None, "--batch-size": "9", "--resolution": "11", "--seed": "5", "--workers": "3",
        "--no-figures": None,
    }  # fmt: skip
    typed("reproduce", options, "zico")
    given = noted["reproduce"]
    assert (given["protocol"], given["out"], list(given["parts"])) == ("zico", Path("out"), ["a", "b"])
    assert vars(given["options"]) == {
        "sample": 7, "images": {"cifar10": "noise"}, "runs": {"a": Path("there")}, "batch_size": 9, "resolution": 11,
        "seed": 5, "workers": 3, "compute": False,
    }  # fmt: skip
    assert noted["figures"] is False


@pytest.mark.parametrize("option", ["trust_pickle", "allow_partial", "errors"])
def test_of_an_import(noted, monkeypatch, option):
    noted.instead_of(monkeypatch, "harness.data.device_costs", "importable", "the benchmark")
    noted.instead_of(monkeypatch, "harness.data", "import_table", SimpleNamespace(lines=lambda: []))
    typed("data import", {f"--{option.replace('_', '-')}": None}, "nats-tss", "FILE")
    flags = dict.fromkeys(("trust_pickle", "allow_partial", "errors"), False) | {option: True}
    assert noted["import_table"] == {"benchmark": "the benchmark", "file": Path("FILE"), **flags}


@pytest.mark.parametrize("option", ["full", "replace", None])
def test_of_getting_data(noted, monkeypatch, option):
    noted.instead_of(monkeypatch, "harness.data.get", "get")
    typed("data get", {"--dir": "here"} | ({f"--{option}": None} if option else {}), "nats-tss")
    chosen = noted["get"]["options"]
    assert (chosen.full, chosen.replace, chosen.directory) == (option == "full", option == "replace", Path("here"))


def test_of_an_agreement(noted, monkeypatch):
    table = SimpleNamespace(to_csv=lambda **options: "the table")
    noted.instead_of(monkeypatch, "harness.api", "agreement", table)
    monkeypatch.setattr("harness.display.tables.correlations.agreement_grid", lambda *_: None)
    monkeypatch.setattr("harness.display.tables.terminal.print_grids", lambda *_: None)
    monkeypatch.setattr("harness.cli.write_page", lambda file, text: noted.update(page=(file, text)))
    options = {"--rename": "nwot=naswot", "--sentinel": "-1", "--out": "table.csv"}
    assert options_of("agree") == options.keys()
    typed("agree", options, "RUN", "other.csv")
    assert noted["agreement"] == {
        "directory": Path("RUN"), "other": Path("other.csv"), "rename": {"nwot": "naswot"}, "sentinel": -1.0,
    }  # fmt: skip
    assert noted["page"] == (Path("table.csv"), "the table")
