"""Without a terminal, a run occasionally prints its progress and the time left."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

import harness
from harness.execution.progress import FIRST, MOST, NotebookBar, ProgressLines, chosen_progress
from harness.store.records import Score, UnitResult


class Log:
    """The lines of a run in which every network takes the same time."""

    def __init__(self, total, seconds, before=0, failing=0):
        self.lines, self.times, self.now = [], [], 0.0
        told = ProgressLines(self.note, lambda: self.now)
        told(before, total)
        for done in range(before + 1, total + 1):
            self.now += seconds
            status = "failed" if done <= failing else "ok"
            told.stored([UnitResult("a", (Score("snip", 1, status, None, None, 0, 0),), 0.0)])
            told(done, total)

    def note(self, line):
        self.lines.append(line)
        self.times.append(self.now)


def test_a_line_has_count_rate_time_left_and_failures():
    log = Log(1000, 1.5, failing=3)
    assert log.lines[0] == "0 of 1,000 networks"
    assert log.lines[1] == "7 of 1,000 networks, 0.67 per second, about 25 min left, 3 failed outcomes"
    assert log.lines[-1] == "1,000 of 1,000 networks, 0.67 per second, 3 failed outcomes"


def test_lines_come_more_and_more_seldom():
    log = Log(100_000, 1.0)
    pauses = [b - a for a, b in zip(log.times, log.times[1:], strict=False)]
    assert pauses[0] == FIRST and sorted(pauses[:-1]) == pauses[:-1] and max(pauses) <= MOST + 1
    assert len(log.lines) < 400


def test_a_short_run_has_only_its_first_and_last_line():
    assert Log(5, 0.01).lines == ["0 of 5 networks", "5 of 5 networks, 100 per second"]


def test_stored_networks_do_not_count_in_the_rate():
    log = Log(110, 60, before=100)
    assert log.lines[:2] == [
        "100 of 110 networks already done",
        "101 of 110 networks, 1 per minute, about 9 min left",
    ]


def test_without_work_there_is_no_line():
    assert Log(5, 1, before=5).lines == Log(0, 1).lines == []


def test_the_command_writes_them_to_the_error_stream(tmp_path):
    command = [
        sys.executable, "-m", "harness", "run", "digits", "--sample", "3", "--batch-size", "4", "--proxies", "params",
        "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert lines[0] == "0 of 3 networks" and lines[-1].startswith("3 of 3 networks, ") and len(lines) == 2
    assert done.stdout.startswith("3 networks scored")


def test_python_is_quiet_by_default(tmp_path, capfd):
    harness.run("digits", sample=2, batch_size=4, proxies="params", out=tmp_path / "run")
    assert capfd.readouterr() == ("", "")
    harness.run("digits", sample=3, batch_size=4, proxies="params", out=tmp_path / "run", progress=ProgressLines())
    assert capfd.readouterr().err.startswith("2 of 3 networks already done\n3 of 3 networks, ")


class TestInANotebook:
    @pytest.fixture
    def states(self, monkeypatch):
        """The states of the bar that a notebook's cell shows."""
        states = []
        display = SimpleNamespace(
            HTML=lambda html: html,
            display=lambda html, display_id: states.append(html) or SimpleNamespace(update=states.append),
        )
        shell = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel="a kernel"))
        monkeypatch.setitem(sys.modules, "IPython", shell)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        return states

    def test_a_run_shows_one_bar(self, states, tmp_path):
        harness.run("digits", sample=3, batch_size=4, proxies="params", out=tmp_path)
        assert states[0] == '<progress value="0" max="3"></progress> 0 of 3 networks'
        assert states[-1].startswith('<progress value="3" max="3"></progress> 3 of 3 networks, ')
        shown = len(states)
        harness.run("digits", sample=3, batch_size=4, proxies="params", out=tmp_path)
        harness.run("digits", sample=4, batch_size=4, proxies="params", out=tmp_path, progress=False)
        assert len(states) == shown, "nothing for a run that is complete, or if it is not wanted"

    def test_it_is_not_redrawn_for_every_network(self, states):
        now = iter(range(1001))
        bar = NotebookBar(lambda: next(now) / 100)
        for done in range(1001):
            bar(done, 1000)
        assert 15 < len(states) < 25 and "about 5 s left" in states[10]


def test_elsewhere_a_run_in_python_shows_nothing_by_default():
    lines = ProgressLines()
    assert chosen_progress(None) is None and chosen_progress(False) is None and chosen_progress(lines) is lines
