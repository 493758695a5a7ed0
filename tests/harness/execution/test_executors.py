"""Worker processes: none is left behind by a signal, whenever it comes."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import threading

import pytest

from harness.execution.executors import spawned_workers
from harness.execution.limits.signals import uninterrupted

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


def test_ctrl_c_while_workers_start_leaves_none_behind():
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_START], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.returncode) == ("interrupted\n", 0), ended.stderr


def test_all_workers_belong_to_the_pool_before_one_of_them_can_break_it():
    others = set(multiprocessing.active_children())
    with spawned_workers(3) as pool:
        future = pool.submit(abs, -1)
        assert len(set(multiprocessing.active_children()) - others) == 3
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
