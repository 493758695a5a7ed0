"""Every option of a command reaches the function that it is for, under its own name and with the value typed.

Each command is typed with all its options, none of them with its default; what it calls notes what it was given.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from harness.cli import app
from harness.display.figures.style import inches
from harness.tasks import Task

# It would keep what stands in for open_run if it were first imported while that is replaced.
importlib.import_module("harness.reporting.report")

SHOWN = {"--set": "connected", "--truth": "val/7", "--out": "out", "--width": "2"}
OPENED = {"directory": Path("RUN"), "truth": "val/7"}
BESIDE = {"--beside": "test/3"}

OPTIONS = {
    "run": {
        "--out": "out", "--dataset": "cifar100", "--sample": "7", "--set": "connected", "--seed": "5",
        "--sample-seed": "6", "--seeds": "3", "--seeds-on": "4", "--proxies": "snip,zen", "--proxy": "own.py:own",
        "--images": "noise",
        "--random-labels": None, "--batch-size": "9", "--resolution": "11", "--init": "xavier", "--workers": "3",
        "--shard": "2/4",
        "--once-per-class": None, "--executor": "dask", "--scheduler": "tcp://here", "--time-limit": "77",
        "--memory-limit": "3GB", "--device": "cuda:1", "--retry-failed": None,
    },
    "score": {
        "--proxies": "snip,zen", "--proxy": "own.py:own", "--images": "photographs", "--random-labels": None,
        "--shape": "3x7x7", "--batch-size": "9", "--classes": "4", "--seed": "5", "--output": "1",
        "--features": "body", "--blocks": "a,b", "--compare": "RUN", "--device": "cuda:1", "--threads": "3",
        "--out": "out", "--json": None,
    },
    "rank": {
        "--benchmark": "digits", "--dataset": "data", "--truth": "val/7", "--higher": "a", "--lower": "b",
        "--without": "c", "--sentinel": "-1", "--no-sizes": None, "--baseline": "flops", "--out": "out",
        "--no-figures": None, "--html": "page.html", "--json": None,
    },
    "search": {
        "--out": "out", "--proxy": "zen,snip", "--algorithm": "local", "--budget": "params=7 flops=9",
        "--evaluations": "77", "--candidates": "88", "--also": "params", "--population": "33", "--moves": "uniform",
        "--from": "cell", "--ahead": "3", "--search-seed": "6", "--seed": "5", "--dataset": "cifar100",
        "--images": "noise", "--random-labels": None, "--batch-size": "9", "--resolution": "11", "--reuse": "other",
        "--init": "gaussian",
        "--workers": "3", "--executor": "dask", "--scheduler": "tcp://here", "--time-limit": "77",
        "--memory-limit": "3GB", "--device": "cuda:1", "--retry-failed": None, "--no-figures": None, "--json": None,
    },
    "build": {"--dataset": "digits", "--resolution": "16", "--out": "network.py"},
    "merge": {"--out": "out"},
    "report": {
        "--truth": "val/7", "--out": "out", "--baseline": "flops", "--beside": "test/3", "--published": "table.csv",
        "--no-figures": None, "--width": "2", "--html": "page.html", "--json": None,
    },
    "agree": {"--rename": "nwot=naswot", "--sentinel": "-1", "--out": "table.csv"},
    "reproduce": {
        "--out": "out", "--sample": "7", "--images": "cifar10=noise", "--parts": "a,b", "--runs": "a=there",
        "--no-run": None, "--batch-size": "9", "--resolution": "11", "--seed": "5", "--workers": "3",
        "--no-figures": None,
    },
    "baseline": {"--out": "frozen", "--proxy": "own.py:own", "--truth": "val/7"},
    "check": {
        "--baseline": "frozen", "--tolerance": "0.07", "--slower": "1.7", "--slower-elsewhere": "3.3",
        "--float-tolerance": "0.2", "--allow-changed": None, "--allow-slower": None, "--proxy": "own.py:own",
        "--images": "noise", "--workers": "3", "--out": "out", "--markdown": "a.md", "--junit": "b.xml",
        "--json": "c.json",
    },
    "test-proxy": {},
    "list benchmarks": {"--json": None},
    "list proxies": {"--proxy": "own.py:own", "--json": None},
    "list protocols": {},
    "data import": {"--trust-pickle": None, "--allow-partial": None, "--errors": None},
    "data get": {"--full": None, "--replace": None, "--dir": "here"},
    "data verify": {"--dir": "here"},
    "data status": {"--dir": "here", "--json": None},
    "store verify": {},
    "store export": {"--out": "scores.csv", "--leave-out-damaged": None},
    "store restore": {"--out": "out", "--without": "snip,zen"},
    "store compact": {},
    "results add": {"--by": "Jane Doe", "--proxies": "snip,zen", "--collection": "here"},
    "results list": {"--proxies": "snip,zen", "--missing": None, "--json": None, "--collection": "here"},
    "results get": {"--out": "out", "--setting": "batch7", "--proxies": "snip,zen", "--collection": "here"},
    "results verify": {
        "--share": "0.07", "--images": "cifar10=files", "--proxy": "own.py:own", "--seed": "5", "--workers": "3",
        "--collection": "here",
    },
    "results boards": {"--collection": "here"},
    "analyse anywhere": {"--baseline": "flops", "--proxies": "zen,snip", **SHOWN, "--width": "2"},
    "analyse beyond-size": {"--given": "flops", "--bins": "7", **BESIDE, **SHOWN},
    "analyse bias": {**BESIDE, **SHOWN},
    "analyse bootstrap": {"--baseline": "flops", "--resamples": "77", **BESIDE, **SHOWN},
    "analyse budgets": {"--cost": "flops", "--quantiles": "7,33", **SHOWN},
    "analyse combine": {
        "--most": "3", "--proxies": "zen,snip", "--resamples": "77", "--seed": "5", **SHOWN, "--width": "1",
    },
    "analyse heatmap": {
        "--baseline": "flops", "--proxies": "zen,snip", **SHOWN,
    },
    "analyse noise-ceiling": {"--benchmark": "digits", "--dataset": "data", "--baseline": "flops", **SHOWN},
    "analyse pairs": {"--against": "flops", **BESIDE, **SHOWN},
    "analyse pareto": {"--cost": "flops", "--show": "zen", **SHOWN},
    "analyse redundancy": {**BESIDE, **SHOWN},
    "analyse required-n": {
        "--difference": "0.07", "--power": "0.7", "--baseline": "flops", "--draws": "77", **BESIDE, **SHOWN,
    },
    "analyse scatter": {"--proxy": "zen", "--truth": "val/7", "--out": "out", "--width": "2"},
    "analyse search": {
        "--draws": "7,9", "--without-replacement": None, "--repetitions": "77", "--seed": "5", "--show": "zen", **SHOWN,
    },
    "analyse searches": {
        "--algorithms": "random,local", "--evaluations": "7,9", "--passes": "11", "--searches": "5",
        "--population": "6", "--budget": "params=7 flops=9", "--proxies": "zen,snip", "--show": "zen", **SHOWN,
        "--width": "1",
    },
    "analyse selection": {
        "--k": "7", "--percent": "9", "--baseline": "flops", "--highlight": "zen", **BESIDE, **SHOWN,
    },
    "analyse stability": {"--truth": "val/7", "--out": "out", "--width": "2"},
    "analyse top": {"--by": "proxy", "--percent": "9", "--baseline": "flops", "--highlight": "zen", **BESIDE, **SHOWN},
}  # fmt: skip
"""Every option of every command, with a value that is not its default; a flag has None."""

ONE_SET = {"run": "the run", "subset": "connected"}
ANALYSES = {
    "beyond-size": {**ONE_SET, "given": "flops", "bins": 7},
    "bias": ONE_SET,
    "bootstrap": {**ONE_SET, "baseline": "flops", "resamples": 77},
    "budgets": {**ONE_SET, "costs": ["flops"], "quantiles": [0.07, 0.33]},
    "pairs": {**ONE_SET, "against": "flops"},
    "pareto": {**ONE_SET, "costs": ["flops"], "shown": ["zen"]},
    "redundancy": ONE_SET,
    "required-n": {**ONE_SET, "difference": 0.07, "power": 0.7, "baseline": "flops", "draws": 77},
    "scatter": {"run": "the run", "proxies": ["zen"]},
    "search": {
        **ONE_SET, "draws": [7, 9], "replacement": False, "repetitions": 77, "seed": 5, "shown": ["zen"],
    },
    "selection": {**ONE_SET, "counts": [7], "percents": [9.0], "baseline": "flops", "highlight": ["zen"]},
    "stability": {"runs": ["the run"]},
    "top": {**ONE_SET, "by": "proxy", "percents": [9.0], "baseline": "flops", "highlight": ["zen"]},
}  # fmt: skip
"""What the exhibit of an analysis is given."""

FORWARDED = {
    "merge": (
        ("a", "b"), "harness.store.merge", "merge", {"sources": [Path("a"), Path("b")], "target": Path("out")},
        SimpleNamespace(networks=1, outcomes=1, added=1, mended=0),
    ),
    "list benchmarks": ((), "harness.cli.machine_readable", "benchmarks_document", {}, {}),
    "list proxies": ((), "harness.cli.machine_readable", "proxies_document", {"own": ["own.py:own"]}, {}),
    "data verify": (("digits",), "harness.data.verify", "verify", {"name": "digits", "directory": Path("here")}, []),
    "data status": ((), "harness.data.status", "status_document", {"directory": Path("here")}, {}),
    "store export": (
        ("RUN",), "harness.store.maintenance", "export",
        {"directory": Path("RUN"), "file": Path("scores.csv"), "leave_out_damaged": True}, 3,
    ),
    "store restore": (
        ("RUN",), "harness.store.restore", "restore",
        {"scores": Path("RUN"), "directory": Path("out"), "without": ["snip", "zen"]}, 3,
    ),
    "results add": (
        ("RUN",), "harness.leaderboard.adding", "add",
        {"source": Path("RUN"), "root": Path("here"), "by": "Jane Doe", "proxies": ["snip", "zen"]},
        SimpleNamespace(new=(), extended=(), unchanged=()),
    ),
    "results list": (
        ("digits",), "harness.leaderboard.collection", "entries_in",
        {"root": Path("here"), "within": "digits", "proxies": ["snip", "zen"]}, [],
    ),
    "results get": (
        ("digits/digits",), "harness.leaderboard.getting", "get",
        {
            "root": Path("here"), "within": "digits/digits", "out": Path("out"), "setting": "batch7",
            "proxies": ["snip", "zen"],
        }, ("batch7-seed0-01234567", 3),
    ),
    "results boards": (
        ("digits",), "harness.leaderboard.boards", "boards_in", {"root": Path("here"), "within": "digits"}, [],
    ),
}  # fmt: skip
"""Commands that call one function: their arguments, the function, what it is given, and what it returns."""


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


def typed(command, *arguments, without=()):
    options = {option: value for option, value in OPTIONS[command].items() if option not in without}
    words = [word for option, value in options.items() for word in ([option] if value is None else [option, value])]
    result = CliRunner().invoke(app, [*command.split(), *arguments, *words])
    assert result.exit_code == 0, result.output or result.exception


def commands(group, *names):
    """Every command with its options; of a pair such as ``--run/--no-run``, the one that is not the default."""
    if isinstance(group, TyperGroup):
        for name, command in group.commands.items():
            yield from commands(command, *names, name)
    else:
        options = [option for option in group.params if option.param_type_name == "option"]
        typable = {(option.secondary_opts if option.default is True else option.opts)[0] for option in options}
        yield " ".join(names), typable - {"--help"}


def test_every_option_of_every_command_is_typed_here():
    assert dict(commands(get_command(app))) == {command: set(options) for command, options in OPTIONS.items()}


def a_shown(written):
    return SimpleNamespace(show=lambda console: None, write=lambda out, width: written.update(given=(out, width)) or [])


@pytest.mark.parametrize("name", ANALYSES)
def test_of_an_analysis(noted, monkeypatch, name):
    function = name.replace("-", "_")
    written = {}
    noted.instead_of(monkeypatch, "harness.results", "open_run", "the run")
    noted.instead_of(monkeypatch, f"harness.exhibits.{function}", function, a_shown(written))
    typed(f"analyse {name}", "RUN")
    beside = ["test/3"] if "--beside" in OPTIONS[f"analyse {name}"] else []
    assert noted["open_run"] == {**OPENED, "beside": beside}
    assert noted[function] == ANALYSES[name]
    assert written["given"] == (Path("out"), inches("2"))


def test_of_searches_with_each_proxy(noted, monkeypatch):
    written = {}
    noted.instead_of(monkeypatch, "harness.results", "open_run", "the run")
    noted.instead_of(monkeypatch, "harness.searching.comparison_exhibit", "searches_with_each_proxy", a_shown(written))
    typed("analyse searches", "RUN")
    assert noted["open_run"] == {**OPENED, "beside": []}
    assert noted["searches_with_each_proxy"] == {
        **ONE_SET, "algorithms": ["random", "local"], "evaluations": [7, 9], "passes": [11], "searches": 5,
        "population": 6, "budget": ["params=7", "flops=9"], "rows": ["zen", "snip"], "shown": ["zen"],
    }  # fmt: skip
    assert written["given"] == (Path("out"), inches("1"))


def test_of_a_search(noted, monkeypatch):
    found = SimpleNamespace(
        exhibit=lambda: SimpleNamespace(write=lambda folder, figures: noted.update(written=(folder, figures)) or []),
        trace=pd.DataFrame({"a": [1]}),
        population=pd.DataFrame({"a": [1]}),
        best=lambda: pd.DataFrame({"a": [1]}),
    )
    monkeypatch.setattr(importlib.import_module("harness.cli.search"), "write_page", lambda *_: None)
    noted.instead_of(monkeypatch, "harness.searching", "search", found)
    typed("search", "digits")
    given = noted["search"]
    assert all(given.pop(name) is not None for name in ("executor", "watch", "say"))
    assert given == {
        "space": "digits", "out": Path("out"), "proxy": "zen,snip", "algorithm": "local",
        "budget": ["params=7", "flops=9"], "evaluations": 77, "candidates": 88, "also": "params", "population": 33,
        "moves": "uniform", "start": "cell", "ahead": 3, "search_seed": 6, "seed": 5, "dataset": "cifar100",
        "images": "noise", "labels": "random", "batch_size": 9, "resolution": 11, "init": "gaussian",
        "device": "cuda:1", "workers": 3, "time_limit": 77.0, "memory_limit": 3 * 10**9, "retry_failed": True,
        "reuse": Path("other"),
    }  # fmt: skip
    assert noted["written"] == (Path("out/search"), False)


def test_of_building_a_network(noted, monkeypatch):
    noted.instead_of(monkeypatch, "harness.networks.source", "source_of", "a source")
    monkeypatch.setattr(
        importlib.import_module("harness.cli.search"),
        "write_page",
        lambda file, text: noted.update(written=(file, text)),
    )
    cell = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
    typed("build", "digits", cell)
    assert noted["written"] == (Path("network.py"), "a source")
    assert cell in noted["source_of"]["title"] and "1×16×16" in noted["source_of"]["title"]


@pytest.mark.parametrize("name", ["heatmap", "anywhere"])
def test_of_all_runs_together(noted, monkeypatch, name):
    written = {}
    noted.instead_of(monkeypatch, "harness.results", "open_run", "a run")
    noted.instead_of(monkeypatch, f"harness.exhibits.{name}", name, a_shown(written))
    typed(f"analyse {name}", "RUN", "OTHER")
    assert noted["open_run"] == {**OPENED, "directory": Path("OTHER"), "beside": []}
    assert noted[name] == {
        "runs": ["a run", "a run"], "subset": "connected", "baseline": "flops", "proxies": ["zen", "snip"],
    }  # fmt: skip
    assert written["given"] == (Path("out"), inches("2"))


def test_of_combinations(noted, monkeypatch):
    written = {}
    noted.instead_of(monkeypatch, "harness.results", "open_run", "a run")
    noted.instead_of(monkeypatch, "harness.exhibits.combine", "combine", a_shown(written))
    typed("analyse combine", "RUN", "OTHER")
    assert noted["combine"] == {
        "runs": ["a run", "a run"], "most": 3, "proxies": ["zen", "snip"], "resamples": 77, "seed": 5,
        "subset": "connected",
    }  # fmt: skip
    assert written["given"] == (Path("out"), inches("1"))


def test_of_a_noise_ceiling(noted, monkeypatch):
    written = {}
    noted.instead_of(monkeypatch, "harness.results", "open_run", "the run")
    noted.instead_of(monkeypatch, "harness.registry", "load_benchmark", "the benchmark")
    noted.instead_of(monkeypatch, "harness.exhibits.noise_ceiling", "noise_ceiling_of_run", a_shown(written))
    noted.instead_of(monkeypatch, "harness.exhibits.noise_ceiling", "noise_ceiling_of_benchmark", a_shown(written))
    typed("analyse noise-ceiling", "RUN", without=("--benchmark", "--dataset"))
    assert noted["open_run"] == {**OPENED, "beside": []}
    assert noted["noise_ceiling_of_run"] == {"run": "the run", "subset": "connected", "baseline": "flops"}
    typed("analyse noise-ceiling", without=("--baseline",))
    assert noted["load_benchmark"] == {"name": "digits"}
    assert noted["noise_ceiling_of_benchmark"] == {
        "benchmark": "the benchmark", "dataset": "data", "truth": "val/7", "subset": "connected",
    }  # fmt: skip
    assert written["given"] == (Path("out"), inches("2"))


@pytest.mark.parametrize("command", FORWARDED)
def test_of_a_command_that_calls_one_function(noted, monkeypatch, command):
    arguments, module, name, given, result = FORWARDED[command]
    noted.instead_of(monkeypatch, module, name, result)
    typed(command, *arguments)
    assert noted[name] == given


def test_of_a_baseline(noted, monkeypatch):
    run = SimpleNamespace(scores="the scores", setting=SimpleNamespace(origin=None))
    frozen = SimpleNamespace(proxies=[], architectures=[])
    noted.instead_of(monkeypatch, "harness.results", "open_run", run)
    noted.instead_of(monkeypatch, "harness.gate", "freeze", frozen)
    noted.instead_of(monkeypatch, "harness.gate", "write_baseline", [])
    noted.instead_of(monkeypatch, "harness.gate.measure_costs", "representative", ["a network"])
    noted.instead_of(monkeypatch, "harness.gate.measure_costs", "measure", "the costs")
    typed("baseline", "RUN")
    assert noted["open_run"] == {**OPENED, "beside": []}
    assert noted["measure"]["own"] == ["own.py:own"]
    assert noted["write_baseline"] == {"baseline": frozen, "directory": Path("frozen")}


def test_of_score(noted, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({
        "proxy": ["snip"], "value": [1.0], "better": ["higher"], "standalone_ratio": [1.0], "reason": [""],
    })  # fmt: skip
    setting = SimpleNamespace(benchmark="digits", dataset="digits", batch_size=9, images="noise")
    run = SimpleNamespace(setting=setting)
    drawn = [SimpleNamespace(images="the images", labels="the labels")]
    photographs = SimpleNamespace(
        description="photographs", batches=lambda *given: noted.update(batches=given) or drawn
    )
    network = SimpleNamespace(build="its function", shape=(3, 224, 224))
    noted.instead_of(monkeypatch, "harness.registry", "select_proxies", [SimpleNamespace(batches=2)])
    noted.instead_of(monkeypatch, "harness.scoring.named", "network_named", network)
    noted.instead_of(monkeypatch, "harness.images", "load_images", photographs)
    noted.instead_of(monkeypatch, "harness.cli.score", "_classes", 4)
    noted.instead_of(monkeypatch, "harness.results", "open_run", run)
    noted.instead_of(monkeypatch, "harness.scoring.table", "placed", table)
    noted.instead_of(monkeypatch, "harness.scoring", "score", table)
    typed("score", "timm:one")
    assert noted["select_proxies"] == {"names": ["snip", "zen", "own.py:own"]}
    assert noted["network_named"].pop("notice")
    assert noted["network_named"] == {"name": "timm:one", "classes": 4, "size": 7}
    task = Task("images", (3, 7, 7), 4)
    assert noted["load_images"] == {
        "source": Path("photographs"), "task": task, "seed": 5, "labels": "random", "resolution": 7,
    }  # fmt: skip
    assert noted["batches"] == (9, 2, 5)
    assert {name: noted["score"][name] for name in ("seed", "output", "features", "blocks", "device", "threads")} == {
        "seed": 5, "output": 1, "features": "body", "blocks": ["a", "b"], "device": "cuda:1", "threads": 3,
    }  # fmt: skip
    assert noted["placed"] == {"table": table, "run": run}
    assert Path("out/scores.csv").read_text().startswith("proxy,value,better")


def test_of_run(noted, monkeypatch):
    plan = SimpleNamespace(notice="")
    summary = SimpleNamespace(done=3, interrupted=False, units=3, computed=1)
    noted.instead_of(monkeypatch, "harness.execution.plan", "make_plan", plan)
    noted.instead_of(monkeypatch, "harness.execution.runner", "run_seeds", summary)
    noted.instead_of(monkeypatch, "harness.execution.dask_executor", "DaskExecutor", "the cluster")
    typed("run", "nats-tss")
    assert noted["make_plan"]["benchmark"] == "nats-tss"
    # Of the last of the three seeds.
    given = vars(noted["make_plan"]["options"])
    computed = noted["run_seeds"]
    computed |= computed.pop("options")
    assert given["executor"]() == computed.pop("executor")() == "the cluster"
    assert noted["DaskExecutor"] == {"scheduler": "tcp://here", "gpus": 1}
    assert {name: value for name, value in given.items() if name not in ("progress", "executor")} == {
        "dataset": "cifar100", "sample": 4, "subset": "connected", "seed": 7, "sample_seed": 6, "seeds": 1,
        "seeds_on": None,
        "proxies": ["snip", "zen", "own.py:own"], "images": "noise", "labels": "random", "batch_size": 9,
        "resolution": 11, "init": "xavier", "workers": 3, "shard": (2, 4), "once_per_class": True, "device": "cuda:1",
        "time_limit": 77.0, "memory_limit": 3 * 10**9, "retry_failed": True,
    }  # fmt: skip
    assert {name: value for name, value in computed.items() if name not in ("progress", "say")} == {
        "plans": [plan] * 3, "directory": Path("out"), "workers": 3, "time_limit": 77.0, "memory_limit": 3 * 10**9,
        "retry_failed": True,
    }  # fmt: skip


def test_of_report(noted, monkeypatch):
    report = SimpleNamespace(write=lambda directory, **options: noted.update(write=options) or [], html=lambda: "page")
    noted.instead_of(monkeypatch, "harness.api", "report", report)
    noted.instead_of(monkeypatch, "harness.cli.machine_readable", "report_document", {})
    monkeypatch.setattr("harness.cli.shared.write_page", lambda file, text: noted.update(page=(file, text)))
    typed("report", "RUN")
    assert noted["report"] == {
        "directory": Path("RUN"), "truth": "val/7", "baseline": "flops", "beside": ["test/3"],
        "published": Path("table.csv"),
    }  # fmt: skip
    assert noted["write"] == {"figures": False, "width": inches("2")}
    assert noted["page"] == (Path("page.html"), "page")


def test_of_rank(noted, monkeypatch, tmp_path):
    report = SimpleNamespace(
        write=lambda directory, **options: noted.update(write=(directory, options)) or [], html=lambda: "page", run=None
    )
    noted.instead_of(monkeypatch, "harness.ranking", "rank_all", SimpleNamespace(reports=[report]))
    noted.instead_of(monkeypatch, "harness.cli.machine_readable", "report_document", {})
    monkeypatch.setattr("harness.cli.shared.write_page", lambda file, text: noted.update(page=(file, text)))
    (tmp_path / "scores.csv").touch()
    typed("rank", str(tmp_path / "scores.csv"))
    noted["rank_all"].pop("progress")
    assert noted["rank_all"] == {
        "table": tmp_path / "scores.csv", "benchmark": "digits", "dataset": "data", "truth": ["val/7"],
        "higher": ["a"], "lower": ["b"], "without": ["c"], "sentinel": -1.0, "sizes": False, "baseline": "flops",
        "out": Path("out"),
    }  # fmt: skip
    assert noted["write"] == (Path("out/report"), {"figures": False})
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
    typed("check", "RUN", without=({"--allow-changed", "--allow-slower"} - {allow}))
    assert noted["read_baseline"] == {"directory": Path("frozen")}
    against = {"directory": Path("RUN"), "split": "val", "epochs": 7}
    assert noted["open_run"] == against, "the truth that the baseline was ranked against"
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
    typed("check")
    noted["rerun"].pop("progress")
    assert noted["rerun"] == {
        "baseline": "frozen", "out": Path("out"), "images": "noise", "own": ["own.py:own"], "workers": 3,
    }  # fmt: skip


def test_of_a_reproduction(noted, monkeypatch):
    result = SimpleNamespace(show=lambda console: None, write=lambda out, figures: noted.update(figures=figures) or [])
    noted.instead_of(monkeypatch, "harness.reproduction.reproduce", "reproduce", result)
    typed("reproduce", "zico")
    given = noted["reproduce"]
    assert (given["protocol"], given["out"], list(given["parts"])) == ("zico", Path("out"), ["a", "b"])
    assert vars(given["options"]) == {
        "sample": 7, "images": {"cifar10": "noise"}, "runs": {"a": Path("there")}, "batch_size": 9, "resolution": 11,
        "seed": 5, "workers": 3, "compute": False,
    }  # fmt: skip
    assert noted["figures"] is False


@pytest.mark.parametrize("option", ["trust_pickle", "allow_partial", "errors"])
def test_of_an_import(noted, monkeypatch, option):
    noted.instead_of(monkeypatch, "harness.data.further_tables", "importable", "the benchmark")
    noted.instead_of(monkeypatch, "harness.data", "import_table", SimpleNamespace(lines=lambda: []))
    others = OPTIONS["data import"].keys() - {f"--{option.replace('_', '-')}"}
    typed("data import", "nats-tss", "FILE", without=others)
    flags = dict.fromkeys(("trust_pickle", "allow_partial", "errors"), False) | {option: True}
    assert noted["import_table"] == {"benchmark": "the benchmark", "file": Path("FILE"), **flags}


@pytest.mark.parametrize("option", ["full", "replace", None])
def test_of_getting_data(noted, monkeypatch, option):
    noted.instead_of(monkeypatch, "harness.data.get", "get")
    typed("data get", "nats-tss", without={"--full", "--replace"} - {f"--{option}"})
    chosen = noted["get"]["options"]
    assert (chosen.full, chosen.replace, chosen.directory) == (option == "full", option == "replace", Path("here"))


def test_of_verifying_results(noted, monkeypatch):
    noted.instead_of(monkeypatch, "harness.leaderboard.verifying", "verify", [])
    typed("results verify", "digits")
    assert (noted["verify"]["root"], noted["verify"]["within"]) == (Path("here"), "digits")
    again = vars(noted["verify"]["again"])
    assert callable(again.pop("progress"))
    assert again == {
        "share": 0.07, "images": {"cifar10": "files"}, "own": ["own.py:own"], "seed": 5, "workers": 3,
    }  # fmt: skip


def test_of_an_agreement(noted, monkeypatch):
    table = SimpleNamespace(to_csv=lambda **options: "the table")
    noted.instead_of(monkeypatch, "harness.api", "agreement", table)
    monkeypatch.setattr("harness.display.tables.correlations.agreement_grid", lambda *_: None)
    monkeypatch.setattr("harness.display.tables.terminal.print_grids", lambda *_: None)
    monkeypatch.setattr("harness.cli.write_page", lambda file, text: noted.update(page=(file, text)))
    typed("agree", "RUN", "other.csv")
    assert noted["agreement"] == {
        "directory": Path("RUN"), "other": Path("other.csv"), "rename": {"nwot": "naswot"}, "sentinel": -1.0,
    }  # fmt: skip
    assert noted["page"] == (Path("table.csv"), "the table")
