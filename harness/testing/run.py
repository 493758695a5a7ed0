"""Run the proxy contract on a user's proxy: ``harness test-proxy path.py:name``."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.registry import select_proxies

_TEST_FILE = """
from harness.registry import select_proxies
from harness.testing import ProxyContract


class TestProxy(ProxyContract):
    (proxy,) = select_proxies([{!r}])
"""


@dataclass(frozen=True)
class BrokenPromise:
    """A failed test of the contract.

    Attributes:
        promise: the requirement, in words.
        words: what was found, and how to fix it.
    """

    promise: str
    words: str


@dataclass(eq=False)  # pytest needs a hash of its plugins
class Conformance:
    """The result of the contract's tests for a proxy; a plugin of pytest, which collects it.

    Attributes:
        kept: number of tests that passed.
        skipped: number of tests that did not apply.
        broken: failed tests, one per promise, with the first network that broke it.
    """

    kept: int = 0
    skipped: int = 0
    broken: list[BrokenPromise] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest for each phase of each test."""
        if report.passed and report.when == "call":
            self.kept += 1
        elif report.skipped:
            self.skipped += 1
        elif report.failed:
            promise = _promise(report.nodeid)
            if promise not in [broken.promise for broken in self.broken]:
                self.broken.append(BrokenPromise(promise, _words(report)))


def conformance(name: str) -> Conformance:
    """Run every test of :class:`harness.testing.ProxyContract` on the proxy of this name, with pytest, in this process.

    Raises:
        HarnessError: if pytest is not installed, the name matches no proxy or several, or pytest could not run.
    """
    if importlib.util.find_spec("pytest") is None:
        raise HarnessError("checking a proxy's contract needs pytest: pip install pytest")
    chosen = select_proxies([name])
    if len(chosen) != 1:
        raise HarnessError(f"'{name}' matches {len(chosen)} proxies; name one")
    import pytest

    outcome = Conformance()
    with tempfile.TemporaryDirectory() as directory:
        # A unique name, because pytest caches modules by name.
        file = Path(directory) / f"test_proxy_{uuid.uuid4().hex}.py"
        file.write_text(_TEST_FILE.format(name), encoding="utf-8")
        options = ["-q", "-c", "/dev/null", "--rootdir", directory, "-p", "no:cacheprovider", "--import-mode=importlib"]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = pytest.main([*options, str(file)], plugins=[outcome])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise HarnessError(f"pytest could not run the contract: {' '.join(printed.getvalue().split())[-300:]}")
    return outcome


def _promise(node: str) -> str:
    """The name of a test as a sentence.

    >>> _promise("test_x.py::TestProxy::test_it_prints_nothing[a]")
    'it prints nothing'
    """
    return node.rpartition("::")[2].partition("[")[0].removeprefix("test_").replace("_", " ")


def _words(report: Any) -> str:
    """The message of an assertion, without the code around it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return str(text).removeprefix("AssertionError: ").partition("\nassert ")[0].strip()
