"""``harness baseline``, ``check`` and ``test-proxy`` as they are typed."""

import functools
import json
import shutil
import sys
import time

import pytest
from typer.testing import CliRunner

import harness
from harness.cli import app, main
from harness.execution.executors import InlineExecutor
from harness.registry import proxies
from harness.testing import ProxyContract

PROXY = '''
import harness

@harness.proxy("log_grad", better="higher", data="{data}", cite="me2026")
def log_grad(probe):
    """Sum over layers of the logarithm of the gradient's norm."""
    return sum((gradient.norm() + 1e-12).log() for gradient in probe.loss_gradients())
'''


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def measured_here():
    """Costs are measured in this process, and briefly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.gate.measure_costs.spawned_workers", lambda workers: InlineExecutor())
        patch.setattr("harness.gate.measure_costs.ROUNDS", 3)
        patch.setattr("harness.cli.gate.PROCESSES", 1)
        yield


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run of three cheap proxies on eight networks, and its baseline."""
    place = tmp_path_factory.mktemp("gate")
    harness.run("digits", sample=8, batch_size=8, proxies="params,l2_norm,synflow", out=place / "run")
    result = invoke("baseline", place / "run", "--out", place / "baseline")
    assert result.exit_code == 0, result.output
    assert "3 proxies on 8 networks frozen" in result.output
    return place


def test_a_run_passes_against_its_own_baseline(small):
    result = invoke("check", small / "run", "--baseline", small / "baseline", "--slower", 9)
    assert result.exit_code == 0, result.output
    assert "Passed: 3 same" in result.output


def test_the_baseline_s_own_plan_is_run_and_every_file_written(small, tmp_path):
    files = {name: tmp_path / "deep" / name for name in ("a.md", "b.xml", "c.json")}
    result = invoke(
        "check", "--baseline", small / "baseline", "--out", tmp_path / "run", "--markdown", files["a.md"],
        "--junit", files["b.xml"], "--json", files["c.json"], "--allow-slower",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(files["c.json"].read_text())["passed"] is True
    assert (tmp_path / "run" / "scores.sqlite").exists() and all(path.exists() for path in files.values())


def test_a_proxy_that_computes_something_else_fails_the_check(small, monkeypatch):
    synflow = proxies()["synflow"]
    original = synflow.function
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    object.__setattr__(synflow, "function", functools.wraps(original)(lambda probe: -original(probe)))
    try:
        result = invoke("check", "--baseline", small / "baseline", "--allow-slower")
    finally:
        object.__setattr__(synflow, "function", original)
    assert result.exit_code == 1, result.output
    assert "::error title=SynFlow%3A " in result.output


def test_a_proxy_that_takes_three_times_as_long_fails_the_check(small):
    synflow = proxies()["synflow"]
    original = synflow.function

    def threefold(probe):
        begin = time.thread_time()
        value = original(probe)
        end = time.thread_time()
        while time.thread_time() - begin < 3 * (end - begin):
            pass
        return value

    object.__setattr__(synflow, "function", functools.wraps(original)(threefold))
    try:
        result = invoke("check", small / "run", "--baseline", small / "baseline", "--slower", 2)
    finally:
        object.__setattr__(synflow, "function", original)
    assert result.exit_code == 1, result.output
    assert "✗ slower  SynFlow" in result.output and "costs were measured three times" in result.output


def test_a_directory_with_an_older_run_is_not_taken_for_a_new_one(small, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["harness", "check", "--baseline", str(small / "baseline"), "--out", str(small / "run")]
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "already has a run" in capsys.readouterr().err


def test_what_cannot_be_compared_ends_with_2(small, tmp_path, monkeypatch, capsys):
    damaged = shutil.copytree(small / "baseline", tmp_path / "damaged")
    text = (damaged / "baseline.json").read_text()
    (damaged / "baseline.json").write_text(text.replace('"sample": 8', '"sample": 9'))
    monkeypatch.setattr(sys, "argv", ["harness", "check", str(small / "run"), "--baseline", str(damaged)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "edited or damaged" in capsys.readouterr().err


def test_an_unregistered_proxy_is_checked_by_its_file(tmp_path):
    file = tmp_path / "my_gated.py"
    file.write_text(PROXY.format(data="labels"))
    harness.run("digits", sample=6, batch_size=8, proxies=["params", f"{file}:log_grad"], out=tmp_path / "run")
    without = invoke("baseline", tmp_path / "run", "--out", tmp_path / "baseline")
    assert without.exit_code == 0 and "no cost recorded for log_grad" in without.stderr
    own = ["--proxy", f"{file}:log_grad"]
    assert "no cost" not in invoke("baseline", tmp_path / "run", "--out", tmp_path / "baseline", *own).stderr
    options = ["--baseline", tmp_path / "baseline", "--slower", 99]
    assert "2 same" in invoke("check", *options, "--proxy", f"{file}:log_grad").output
    gone = invoke("check", *options)
    assert gone.exit_code == 1 and "missing" in gone.output
    file.write_text(PROXY.format(data="labels").replace("1e-12", "1"))
    changed = invoke("check", *options, "--proxy", f"{file}:log_grad")
    assert changed.exit_code == 1 and "✗ missing" not in changed.output


@pytest.fixture
def few_cells(monkeypatch):
    monkeypatch.setattr(ProxyContract, "cells", 5)


@pytest.mark.usefixtures("few_cells")
@pytest.mark.nightly
def test_the_contract_of_a_good_proxy_is_kept(tmp_path):
    file = tmp_path / "my_good.py"
    file.write_text(PROXY.format(data="labels"))
    result = invoke("test-proxy", f"{file}:log_grad")
    assert result.exit_code == 0, result.output
    assert ", 0 failed, " in result.output


@pytest.mark.usefixtures("few_cells")
def test_a_broken_promise_is_named_with_its_remedy(tmp_path):
    file = tmp_path / "my_broken.py"
    file.write_text(PROXY.format(data="images"))
    result = invoke("test-proxy", f"{file}:log_grad")
    assert result.exit_code == 1
    assert "✗ it does not look at labels unless it declares so\n" in result.output
    assert "declare data='labels'" in result.output


def test_without_pytest_that_is_said(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["harness", "test-proxy", "snip"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "pip install pytest" in capsys.readouterr().err
