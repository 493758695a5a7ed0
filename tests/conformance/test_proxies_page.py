"""The example of docs/adding-a-proxy.md works as the page shows, keeps the contract, and breaks it as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness import registry
from harness.contracts.proxy import Proxy
from harness.testing import ProxyContract

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-proxy.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.S))
(COMMANDS,) = re.findall(r"```\n(harness run.*?)```", PAGE, re.S)
(SNIPPET,) = re.findall(r"```python\n(import harness\nfrom my_proxy.*?)```", PAGE, re.S)
SMALL = ["--sample", "4", "--batch-size", "8"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the page's files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.nightly
def test_the_commands_do_what_the_page_says(folder):
    outputs = []
    for command in COMMANDS.splitlines():
        arguments = command.split()[1:] + (SMALL if " run " in command else [])
        process = subprocess.run(
            [sys.executable, "-m", "harness", *arguments], capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stderr
        outputs.append(process.stdout)
    assert "4 networks scored" in outputs[0]
    assert "Log grad" in outputs[1]
    assert "Sum over layers of the logarithm of the gradient's norm." in " ".join(outputs[2].split())


def test_python_takes_the_proxy_itself(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    names = {}
    exec(SNIPPET.replace("sample=100", "sample=4, batch_size=8"), names)
    assert set(names["scores"]["proxy"]) == {"params", "log_grad"}
    assert set(names["scores"]["status"]) == {"ok"}


def test_a_package_offers_it_by_the_entry_point(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    ((name, value),) = re.findall(r'\[project.entry-points."harness.proxies"\]\n(\w+) = "(.*?)"', PAGE)
    real = registry.entry_points
    added = EntryPoint(name, value, "harness.proxies")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [*real(group=group), *([added] if group == added.group else [])]
    )
    registry.proxies.cache_clear()
    registry.proxy_facts.cache_clear()
    try:
        assert "log_grad" in [proxy.name for proxy in registry.select_proxies("all")]
    finally:
        monkeypatch.undo()
        registry.proxies.cache_clear()
        registry.proxy_facts.cache_clear()


@pytest.fixture
def run(pytester):
    """Runs the page's test on the page's proxy, or on a changed one."""

    def run(change=lambda code: code):
        (pytester.path / "my_proxy.py").write_text(change(FILES["my_proxy.py"]))
        (pytester.path / "test_my_proxy.py").write_text(FILES["test_my_proxy.py"])
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "test_my_proxy.py")

    return run


@pytest.mark.nightly
def test_the_example_keeps_the_contract(run):
    outcomes = run().parseoutcomes()
    assert outcomes["passed"] >= 30
    assert "failed" not in outcomes and "errors" not in outcomes


def undeclared(code):
    return code.replace('data="labels"', 'data="images"')


(FAILURE,) = re.findall(r"^AssertionError: (.*)$", PAGE, re.M)


@pytest.mark.nightly
def test_a_failure_says_what_the_page_shows(run):
    result = run(undeclared)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([f"*AssertionError: {FAILURE}*"])


def test_the_contract_s_test_says_what_the_page_shows():
    names = {}
    exec(undeclared(FILES["my_proxy.py"]), names)
    (proxy,) = (value for value in names.values() if isinstance(value, Proxy))
    contract = type("OfThePage", (ProxyContract,), {"proxy": proxy})()
    with pytest.raises(AssertionError, match=re.escape(FAILURE)):
        contract.test_it_does_not_look_at_labels_unless_it_declares_so()
