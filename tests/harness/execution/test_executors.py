"""Worker processes: none is left behind by a signal, whenever it comes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import pytest

from harness._utils.signals import stops_noted, uninterrupted
from harness.errors import HarnessError, UnguardedScriptError
from harness.execution.executors import refuse_in_starting_worker, spawned_workers

INTERRUPTED_START = """
import os, signal
from harness.execution import executors

start = executors._Worker.start
started = []

def interrupted(worker):
    start(worker)
    started.append(worker)
    if len(started) == 2:
        os.kill(os.getpid(), signal.SIGINT)

executors._Worker.start = interrupted
pool = executors.spawned_workers(2)
try:
    pool.submit(abs, -1)
    pool.submit(abs, -1)
except KeyboardInterrupt:
    print("interrupted")
finally:
    pool.shutdown()
"""


DYING_WHILE_STOPPED = """
import os, signal, time
from harness.execution import executors, runner

def computed(job, unit):
    if unit == "killed":
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
    return unit

if __name__ == "__main__":
    runner.compute_unit = computed
    dispatcher = runner.Dispatcher("job", {}, lambda: executors.spawned_workers(1), window=9)
    next(dispatcher.compute(iter(["first", *8 * ["killed"]])))
    print(list(dispatcher.finish()))
"""


UNGUARDED = """
import harness

harness.run("digits", sample=2, proxies="params", batch_size=8, out="run", workers=2)
"""
MESSAGE = (
    "worker processes start by running script.py again, so put its call of harness under "
    'if __name__ == "__main__": (or use workers=1)\n'
)

KILLED_TRACKER = """
import os, signal, time
from multiprocessing import resource_tracker
from harness.execution.executors import spawned_workers

if __name__ == "__main__":
    pool = spawned_workers(1)
    print(pool.submit(abs, -1).result())
    tracker = resource_tracker._resource_tracker._pid
    os.kill(tracker, signal.SIGKILL)
    os.waitpid(tracker, 0)
    pool.shutdown()
    del pool
"""


def python(*arguments, cwd, program=None):
    return subprocess.run(
        [sys.executable, *arguments], input=program, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def test_ctrl_c_while_workers_start_leaves_none_behind():
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_START], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.returncode) == ("interrupted\n", 0), ended.stderr


def test_a_worker_that_dies_while_the_run_is_stopped_does_not_keep_it_waiting(tmp_path):
    (tmp_path / "script.py").write_text(DYING_WHILE_STOPPED, "utf-8")
    ended = python("script.py", cwd=tmp_path)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("[]\n", "", 0)


@pytest.mark.nightly
def test_all_workers_belong_to_the_pool_before_one_of_them_can_break_it():
    others = set(multiprocessing.active_children())
    with spawned_workers(2) as pool:
        future = pool.submit(abs, -1)
        assert len(set(multiprocessing.active_children()) - others) == 2
        assert future.result() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_the_block_is_left(number):
    heard, done = [], []
    before = signal.signal(number, lambda *_: heard.append(list(done)))
    try:
        with uninterrupted():
            signal.raise_signal(number)
            done.append("all")
        assert heard == [["all"]]
        signal.raise_signal(number)
        assert len(heard) == 2, "the handler is back"
    finally:
        signal.signal(number, before)


def test_a_block_that_fails_swallows_no_ctrl_c():
    with pytest.raises(ValueError, match="the block's own"), uninterrupted():
        raise ValueError("the block's own")
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("the block's own")


def test_a_thread_is_left_alone():
    seen = []

    def work():
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


class TestTheScriptThatAsksForWorkers:
    """Every worker runs it again first."""

    def test_without_a_guard_one_line_says_so(self, tmp_path):
        (tmp_path / "script.py").write_text(UNGUARDED)
        ended = python("script.py", cwd=tmp_path)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("", MESSAGE, 1)

    def test_that_line_is_an_error_that_can_be_caught(self):
        error = UnguardedScriptError("what to do")
        assert isinstance(error, HarnessError) and str(error) == error.code == "what to do"

    @pytest.mark.nightly
    def test_standard_input_is_not_run_again(self, tmp_path):
        program = (
            "from harness.execution.executors import spawned_workers\n"
            "print(spawned_workers(1).submit(abs, -1).result())\n"
        )
        ended = python("-", cwd=tmp_path, program=program)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("1\n", "", 0)

    @pytest.mark.parametrize(("name", "workers", "ends"), [("harness-worker-1", 1, "at once"), ("theirs", 2, "raises")])
    def test_it_is_found_out_before_anything_is_done(self, monkeypatch, name, workers, ends):
        """Our own workers end without a word; in those of other code there is an error to read."""
        process, codes = multiprocessing.current_process(), []
        monkeypatch.setattr(process, "_inheriting", True, raising=False)
        monkeypatch.setattr(process, "_name", name)
        monkeypatch.setattr(os, "_exit", codes.append)
        if ends == "at once":
            refuse_in_starting_worker(workers)
            assert codes == [78]
        else:
            refuse_in_starting_worker(1)
            with pytest.raises(UnguardedScriptError, match="start by running"):
                refuse_in_starting_worker(workers)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource tracker")
@pytest.mark.nightly
def test_a_killed_resource_tracker_leaves_no_word(tmp_path):
    (tmp_path / "script.py").write_text(KILLED_TRACKER)
    ended = python("script.py", cwd=tmp_path)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("1\n", "", 0)


def test_a_ctrl_c_is_told_from_an_error_that_looks_like_one():
    with stops_noted() as stops:
        with pytest.raises(KeyboardInterrupt):
            raise KeyboardInterrupt
        assert stops == []
        with pytest.raises(KeyboardInterrupt) as raised:
            signal.raise_signal(signal.SIGINT)
        assert stops == [raised.value]
