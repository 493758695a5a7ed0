"""What fails or kills its worker is a counted failure of that network, and affects no other."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future

import psutil
import pytest
from harness_benchmarks.nb201.cells import CellModule, ReLUConvBN
from small_runs import digits_plan, scores

from harness.contracts.proxy import proxy
from harness.errors import HarnessError
from harness.execution.executors import InlineExecutor, spawned_workers
from harness.execution.runner import run
from harness.registry import select_proxies


@proxy("lethal", better="higher", data="nothing", cite="nobody2026")
def lethal(probe):
    """Kills the process where the cell has a 3×3 convolution."""
    if any(operation[1].kernel_size == (3, 3) for operation in cell_convolutions(probe.network)):
        os._exit(1)
    return 0


@proxy("endless", better="higher", data="nothing", cite="nobody2026")
def endless(probe):
    """Never ends."""
    while True:
        time.sleep(0.01)


@proxy("deaf", better="higher", data="nothing", cite="nobody2026")
def deaf(probe):
    """Never ends, and hears no signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(600)


@proxy("crashing", better="higher", data="nothing", cite="nobody2026")
def crashing(probe):
    """Reads memory that is not there."""
    return len(ctypes.string_at(0))


@proxy("leaving", better="higher", data="nothing", cite="nobody2026")
def leaving(probe):
    """Ends the program, it thinks."""
    sys.exit(0)


@proxy("illegible", better="higher", data="nothing", cite="nobody2026")
def illegible(probe):
    """Raises with the name of a file that is not valid Unicode."""
    raise OSError(os.fsdecode(b"no Unicode: \xff"))


@proxy("leaking", better="higher", data="nothing", cite="nobody2026")
def leaking(probe):
    """Allocates memory until an allocation fails, as in a job with a memory limit."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (64 << 20), limits[1]))
    try:
        kept = []
        while True:
            kept.append(bytearray(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@proxy("greedy", better="higher", data="nothing", cite="nobody2026")
def greedy(probe):
    """Simulates a process that the kernel kills when memory runs out."""
    taken = []
    while len(taken) < 64:
        taken.append(bytearray(os.urandom(1 << 20)))
    os.kill(os.getpid(), signal.SIGKILL)


def cell_convolutions(network):
    cells = [module for module in network.modules() if isinstance(module, CellModule)]
    return [operation for cell in cells for operation in cell.operations if isinstance(operation, ReLUConvBN)]


class Stillborn(Executor):
    """Its workers die immediately."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(BrokenExecutor("a worker died"))
        return future


class Misled(Stillborn):
    """Its workers end with an error while they start."""

    start_failure = 1


class DyingOnce(Executor):
    """The worker of the first unit dies when others have been computed; later units go well."""

    window = 3
    died = False

    def __init__(self, computed):
        self.computed = computed
        self.first = None

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        if not DyingOnce.died and self.first is None:
            self.first = future
            return future
        if args:
            self.computed.append(args[1].architecture)
        future.set_result(fn(*args, **kwargs))
        if not DyingOnce.died and len(self.computed) == 2:
            DyingOnce.died = True
            self.first.set_exception(BrokenExecutor("the worker died"))
        return future


class TestFailure:
    def test_a_network_may_take_no_longer_than_its_time(self, tmp_path):
        plan = digits_plan(2, [*select_proxies("params"), endless, *select_proxies("snip")])
        run(plan, tmp_path, time_limit=0.5)
        table = scores(tmp_path).set_index("proxy")
        assert set(table.loc["endless", "error"]) == {"exceeded the time limit of 0.5 seconds per network"}
        assert set(table.loc["snip", "error"]) == {
            "not started: the time limit of 0.5 seconds per network was already reached"
        }
        assert set(table.loc["params", "status"]) == {"ok"}

    @pytest.mark.nightly
    def test_a_worker_that_hangs_where_python_is_not_asked_is_ended(self, tmp_path):
        plan = digits_plan(1, [*select_proxies("params"), deaf])
        run(plan, tmp_path, time_limit=1, workers=2)
        assert set(scores(tmp_path)["error"]) == {"the worker process died 3 times on this network"}

    def test_a_network_that_kills_its_worker_is_a_counted_failure(self, tmp_path):
        plan = digits_plan(3, [*select_proxies("params"), lethal])
        run(plan, tmp_path, executor=lambda: spawned_workers(1))
        table = scores(tmp_path).set_index(["architecture", "proxy"])
        convolutional = [a for a in plan.architectures if "nor_conv_3x3" in a]
        assert 0 < len(convolutional) < 3, "the sample must hold both kinds for this test to mean anything"
        for architecture in plan.architectures:
            row = table.loc[architecture, "lethal"]
            if architecture in convolutional:
                assert row["status"] == "failed"
                assert row["error"] == "the worker process died 3 times on this network"
            else:
                assert row["status"] == "ok"

    @pytest.mark.nightly
    @pytest.mark.parametrize("deadly", [crashing, greedy])
    def test_so_is_one_that_crashes_it_or_has_it_killed_for_its_memory(self, tmp_path, deadly):
        run(digits_plan(1, [*select_proxies("params"), deadly]), tmp_path, workers=2)
        assert set(scores(tmp_path)["error"]) == {"the worker process died 3 times on this network"}
        run(digits_plan(2, "params"), tmp_path, retry_failed=True)
        assert list(scores(tmp_path)["status"]) == ["ok"] * 2

    @pytest.mark.parametrize("executor", [InlineExecutor, lambda: spawned_workers(1)], ids=["here", "in a worker"])
    def test_what_a_proxy_raises_is_a_failure_of_its_own(self, tmp_path, executor):
        run(digits_plan(2, [leaving, illegible, leaking, *select_proxies("params")]), tmp_path, executor=executor)
        table = scores(tmp_path).set_index("proxy")
        assert table.loc["leaving", "error"].str.match("SystemExit: 0").all()
        assert table.loc["illegible", "error"].str.match(r"OSError: no Unicode: \\udcff").all()
        assert table.loc["leaking", "error"].str.match("out of memory: ").all()
        assert set(table.loc["params", "status"]) == {"ok"}

    def test_workers_that_die_before_they_compute_are_no_failure_of_any_network(self, tmp_path):
        with pytest.raises(HarnessError, match=r"died 5 times in a row before they computed anything.*__main__"):
            run(digits_plan(2, "params"), tmp_path, executor=Stillborn)
        assert scores(tmp_path).empty

    def test_workers_that_end_with_an_error_while_they_start_are_not_started_five_times(self, tmp_path):
        with pytest.raises(HarnessError, match=r"cannot start: one ended with exit code 1.*__main__"):
            run(digits_plan(1), tmp_path, workers=2, executor=Misled)

    def test_what_was_finished_when_a_worker_died_is_kept(self, tmp_path):
        computed = []
        run(digits_plan(6, "params"), tmp_path, executor=lambda: DyingOnce(computed))
        assert len(computed) == len(set(computed)) == 6
        assert list(scores(tmp_path)["status"]) == ["ok"] * 6

    def test_failed_outcomes_are_kept_until_they_are_to_be_retried(self, tmp_path, monkeypatch):
        plan = digits_plan(2, "params")
        monkeypatch.setattr(type(plan.benchmark), "build", lambda *_: 1 / 0)
        run(plan, tmp_path)
        assert set(scores(tmp_path)["status"]) == {"failed"}
        assert "ZeroDivisionError: division by zero" in scores(tmp_path)["error"][0]
        monkeypatch.undo()
        assert run(plan, tmp_path).computed == 0
        assert run(plan, tmp_path, retry_failed=True).computed == 2
        assert set(scores(tmp_path)["status"]) == {"ok"}

    def test_fewer_than_one_worker_is_refused(self, tmp_path):
        with pytest.raises(HarnessError, match="invalid number of workers 0; use 1 or more"):
            run(digits_plan(2), tmp_path, workers=0)
