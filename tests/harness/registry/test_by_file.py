"""Unregistered proxies: named by their location, computed on any worker, and never mixed with changed code."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app
from harness.contracts.proxy import proxy
from harness.errors import HarnessError, StoreError, UnknownNameError
from harness.execution.executors import spawned_workers
from harness.registry import check_importable, reference, resolve, select_proxies
from harness.registry.by_file import load_file, load_own
from harness.store import Store

MINE = '''
import torch
from harness import proxy
from harness.probe import quantity
from helper import FACTOR


@quantity
def drawn(probe):
    return torch.rand(1)


@proxy("mine", label="Mine", better="lower", data="images", cite="me2026")
def mine(probe):
    """Logits of the first mini-batch, with a little chance."""
    return probe.forward().outputs.detach().abs().sum() * FACTOR + drawn(probe)[0]


number = 3
other = mine
'''
RUN = {"sample": 4, "batch_size": 8}


def one_worker():
    return spawned_workers(1)


@proxy("of_the_tests", better="higher", data="nothing", cite="nobody2026")
def of_the_tests(probe):
    """Number of layers."""
    return len(probe.layers)


@pytest.fixture
def path(tmp_path, request, monkeypatch):
    """A file with a proxy, called otherwise in each test, and a module beside it."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "helper.py").write_text("FACTOR = 2\n")
    file = folder / f"mine_{abs(hash(request.node.name))}.py"
    file.write_text(MINE)
    return file


def values(scores, name="mine"):
    return scores[scores["proxy"] == name].set_index("architecture")["value"]


class TestNaming:
    def test_a_file_names_its_proxies(self, path):
        assert load_own(f"{path}:mine").name == "mine"
        assert load_own(f"{path}:other") is load_own(f"{path}:mine")

    def test_a_module_names_its_proxies(self):
        assert load_own(f"{__name__}:of_the_tests") is of_the_tests

    def test_own_proxies_stand_beside_registered_ones(self, path):
        chosen = select_proxies(["params", f"{path}:mine", of_the_tests, f"{path}:mine"])
        assert [proxy.name for proxy in chosen] == ["params", "mine", "of_the_tests"]
        assert [proxy.name for proxy in select_proxies(of_the_tests)] == ["of_the_tests"]

    def test_workers_find_it_by_its_file(self, path):
        found = load_own(f"{path}:mine")
        assert reference(found) == f"{path}:mine"
        assert resolve(reference(found)) is found
        check_importable(found)

    def test_a_changed_file_is_run_again(self, path):
        before = load_own(f"{path}:mine")
        path.write_text(MINE.replace('label="Mine"', 'label="Thine"'))
        assert (before.label, load_own(f"{path}:mine").label) == ("Mine", "Thine")


class TestErrors:
    @pytest.mark.parametrize("wrong", ["mine.py", ":mine", "mine.py:"])
    def test_half_a_reference(self, wrong):
        with pytest.raises(HarnessError, match=r"write path.py:name or module:name"):
            load_own(wrong)

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(HarnessError, match=r"cannot read the file .*absent.py \(No such file"):
            load_own(f"{tmp_path / 'absent.py'}:mine")

    def test_a_missing_module(self):
        with pytest.raises(HarnessError, match="cannot import the module 'no_such_lab': ModuleNotFound"):
            load_own("no_such_lab:mine")

    def test_a_missing_name_suggests_near_ones(self, path):
        with pytest.raises(UnknownNameError, match="'mime': did you mean 'mine'"):
            load_own(f"{path}:mime")

    def test_a_file_without_any_proxy(self, path):
        path.write_text("number = 3\n")
        with pytest.raises(HarnessError, match="and no proxies"):
            load_own(f"{path}:mine")

    def test_something_else_than_a_proxy(self, path):
        with pytest.raises(HarnessError, match=r"'number' of .* is a int, not a proxy.*its proxies: mine, other"):
            load_own(f"{path}:number")

    @pytest.mark.parametrize(
        ("code", "says"),
        [
            ("\n\nundefined_name\n", r"NameError: .* \(line 3\)"),
            ("x = 1\ndef f(:\n", r"SyntaxError: .*line 2\)"),
            ("import sys\nsys.exit(0)\n", r"SystemExit: 0 \(line 2\)"),
            ("raise SystemExit\n", r"SystemExit \(line 1\)"),
            ("raise KeyboardInterrupt\n", r"KeyboardInterrupt \(line 1\)"),
        ],
    )
    def test_an_error_of_the_file_comes_with_its_line(self, path, code, says):
        path.write_text(code)
        with pytest.raises(HarnessError, match=f"cannot be imported: {says}") as raised:
            load_own(f"{path}:mine")
        assert "\n" not in str(raised.value)

    def test_a_module_that_leaves_while_it_is_imported(self, path, monkeypatch):
        monkeypatch.syspath_prepend(path.parent)
        (path.parent / "leaving_module.py").write_text("import sys\nsys.exit(3)\n")
        with pytest.raises(HarnessError, match="cannot import the module 'leaving_module': SystemExit: 3"):
            load_own("leaving_module:mine")

    @pytest.mark.parametrize(("taken", "by"), [("snip", "harness.proxies.gradient:snip"), ("az_nas", "aggregate")])
    def test_a_name_that_is_registered(self, path, taken, by):
        path.write_text(MINE.replace('"mine"', f'"{taken}"'))
        with pytest.raises(HarnessError, match=f"the name '{taken}'.*{by}.*rename your proxy"):
            select_proxies(["params", f"{path}:mine"])

    def test_two_files_of_one_name(self, path, tmp_path):
        load_file(path)
        (tmp_path / path.name).write_text(MINE)
        with pytest.raises(HarnessError, match="two files have the same name"):
            load_file(tmp_path / path.name)

    def test_a_proxy_that_no_worker_could_import(self, tmp_path):
        @proxy("hidden", better="higher", data="nothing", cite="nobody2026")
        def hidden(probe):
            """Inside a function."""
            return 0

        with pytest.raises(HarnessError, match=r"a worker process cannot import .* define it at the top"):
            harness.run("digits", out=tmp_path / "run", proxies=[hidden], **RUN)


class TestRunning:
    def test_workers_give_the_same_bits(self, path, tmp_path):
        own = [f"{path}:mine", "params"]
        inline = harness.run("digits", out=tmp_path / "inline", proxies=own, **RUN)
        spawned = harness.run("digits", out=tmp_path / "spawned", proxies=own, executor=one_worker, **RUN)
        assert set(inline["status"]) == {"ok"}
        assert values(inline).equals(values(spawned))

    def test_the_object_itself_will_do(self, tmp_path):
        scores = harness.run("digits", out=tmp_path / "run", proxies=[of_the_tests, "params"], **RUN)
        assert set(values(scores, "of_the_tests")) != {0}

    def test_the_run_keeps_its_facts_and_the_report_uses_them(self, path, tmp_path):
        harness.run("digits", out=tmp_path / "run", proxies=["params", f"{path}:mine"], sample=8, batch_size=8)
        path.unlink()
        report = harness.report(tmp_path / "run")
        assert report.labels["mine"] == "Mine"
        own = report.manifest["own_proxies"]["mine"]
        assert own["better"] == "lower" and own["reference"] == f"{path.name}:mine" and len(own["sha256"]) == 64
        mine = report.correlations.set_index(["set", "proxy"]).loc[("all", "mine")]
        raw = values(report.scores)
        expected = pd.concat([-raw, report.truth.accuracy.reindex(raw.index)], axis=1).corr("kendall").iloc[0, 1]
        assert mine["kendall"] == pytest.approx(expected)

    def test_it_may_be_added_to_a_run(self, path, tmp_path):
        out = tmp_path / "run"
        harness.run("digits", out=out, proxies="params", **RUN)
        harness.run("digits", out=out, proxies=[f"{path}:mine"], **RUN)
        again = harness.run("digits", out=out, proxies=["params", f"{path}:mine"], **RUN)
        assert len(again) == 8

    def test_changed_code_is_refused(self, path, tmp_path):
        out = tmp_path / "run"
        harness.run("digits", out=out, proxies=["params", f"{path}:mine"], **RUN)
        path.write_text(MINE.replace("abs()", "square()"))
        with pytest.raises(StoreError, match=r"scores of 'mine' from other code.*use a new --out"):
            harness.run("digits", out=out, proxies=["params", f"{path}:mine"], **RUN)
        harness.run("digits", out=out, proxies="params", **RUN)

    def test_the_same_name_from_another_file_is_refused(self, path, tmp_path):
        out = tmp_path / "run"
        harness.run("digits", out=out, proxies=[f"{path}:mine"], **RUN)
        twin = path.with_name(f"twin_{path.name}")
        twin.write_text(MINE + "# elsewhere\n")
        with pytest.raises(StoreError, match="from other code"):
            harness.run("digits", out=out, proxies=[f"{twin}:mine"], **RUN)

    def test_code_that_changes_during_the_run_is_refused(self, path, tmp_path):
        def change(done, total):
            if done == 0:
                path.write_text(MINE.replace("abs()", "square()"))

        with pytest.raises(HarnessError, match="the file of the proxy 'mine' changed during the run"):
            own = [f"{path}:mine"]
            harness.run("digits", out=tmp_path / "run", proxies=own, executor=one_worker, progress=change, **RUN)
        with Store.read(tmp_path / "run") as store:
            assert store.scores().empty

    @pytest.mark.nightly
    def test_an_interactive_session_has_no_file_for_workers(self, tmp_path):
        script = (
            "import harness\n"
            "@harness.proxy('mine', better='higher', data='nothing', cite='me')\n"
            "def mine(probe):\n    'Number of layers.'\n    return len(probe.layers)\n"
            f"print(len(harness.run('digits', out=r'{tmp_path / 'one'}', proxies=[mine], sample=2, batch_size=8)))\n"
            f"harness.run('digits', out=r'{tmp_path / 'two'}', proxies=[mine], sample=2, batch_size=8, workers=2)\n"
        )
        process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert process.stdout == "2\n"
        assert "is defined in an interactive session, which worker processes cannot import" in process.stderr


class TestCommandLine:
    @pytest.fixture
    def call(self, path):
        def call(*arguments):
            command = [sys.executable, "-m", "harness", *map(str, arguments)]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        return call

    def test_run_list_and_report(self, call, path, tmp_path):
        out = tmp_path / "run"
        own = ["--proxy", f"{path}:mine"]
        ran = call("run", "digits", "--sample", 8, "--batch-size", 8, "--proxies", "params", *own, "--out", out)
        assert ran.returncode == 0, ran.stderr
        assert "Mine" in CliRunner().invoke(app, ["report", str(out), "--no-figures"]).stdout
        assert "mine" in json.loads((out / "report" / "manifest.json").read_text())["own_proxies"]
        listed = CliRunner().invoke(app, ["list", "proxies", *own]).stdout
        assert "Logits of the first mini-batch" in " ".join(listed.split()) and "vkdnw_agg" in listed

    def test_what_is_wrong_is_one_line(self, call, tmp_path):
        process = call("list", "proxies", "--proxy", f"{tmp_path / 'absent.py'}:mine")
        assert process.returncode == 2
        assert process.stderr.count("\n") == 1 and "absent.py" in process.stderr
