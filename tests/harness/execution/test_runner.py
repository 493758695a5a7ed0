"""An interrupted and resumed run ends with the same scores, bit for bit, wherever it is computed."""

from __future__ import annotations

import ctypes
import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path

import pandas as pd
import psutil
import pytest
from harness_benchmarks.nb201.cells import CellModule, ReLUConvBN

import harness
from harness.contracts.proxy import proxy
from harness.errors import HarnessError, StoreError
from harness.execution.executors import InlineExecutor, spawned_workers
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.execution.runner import run
from harness.registry import select_proxies
from harness.store import Store

PROXIES = "params,snip,naswot,zico"
KEPT = ["architecture", "proxy", "version", "seed", "status", "value", "error"]


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


def digits_plan(sample=6, proxies=PROXIES, batch_size=16):
    return make_plan("digits", RunOptions(proxies=proxies, sample=sample, batch_size=batch_size))


def scores(directory) -> pd.DataFrame:
    with Store.read(Path(directory)) as store:
        return store.scores()[KEPT]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("undisturbed")
    run(digits_plan(24), directory)
    return scores(directory)


def command(out, *options):
    arguments = ["run", "digits", "--sample", "24", "--proxies", PROXIES, "--batch-size", "16", "--out", str(out)]
    return [sys.executable, "-m", "harness", *arguments, *options]


def wait_for_scores(directory, process, networks=2):
    """Until the run has stored some networks; fails if it ends before."""
    for _ in range(1200):
        try:
            if scores(directory)["architecture"].nunique() >= networks:
                return
        except StoreError:
            pass
        assert process.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.05)
    pytest.fail("the run stored nothing in a minute")


class TestSameScores:
    def test_in_this_process_and_in_workers(self, tmp_path, undisturbed):
        run(digits_plan(24), tmp_path, workers=2)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    def test_in_pieces(self, tmp_path, undisturbed):
        run(digits_plan(5, "zico"), tmp_path)
        run(digits_plan(12, "snip,params"), tmp_path)
        summary = run(digits_plan(24), tmp_path)
        assert (summary.computed, summary.done, summary.units) == (24, 24, 24)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    def test_nothing_is_computed_twice(self, tmp_path):
        run(digits_plan(), tmp_path)
        before = (tmp_path / "scores.sqlite").read_bytes()
        assert run(digits_plan(), tmp_path).computed == 0
        assert (tmp_path / "scores.sqlite").read_bytes() == before

    @pytest.mark.nightly
    def test_after_the_parent_was_killed(self, tmp_path, undisturbed):
        process = subprocess.Popen(command(tmp_path, "--workers", "2"))
        wait_for_scores(tmp_path, process)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert 0 < len(scores(tmp_path)) < len(undisturbed)
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive, "workers end when their parent is gone"
        subprocess.run(command(tmp_path), check=True)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    @pytest.mark.nightly
    @pytest.mark.parametrize("number", [1, 2])
    def test_although_workers_were_killed(self, tmp_path, undisturbed, number):
        process = subprocess.Popen(command(tmp_path, "--workers", "2"))
        wait_for_scores(tmp_path, process)
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        for worker in workers[:number]:
            worker.kill()
        assert process.wait() == 0
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    def test_after_ctrl_c(self, tmp_path, undisturbed):
        process = subprocess.Popen(command(tmp_path, "--workers", "2"), stdout=subprocess.PIPE, text=True)
        wait_for_scores(tmp_path, process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        assert process.returncode == 130
        assert "repeat the command to resume" in output
        run(digits_plan(24), tmp_path)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    @pytest.mark.nightly
    @pytest.mark.parametrize("end", [os.kill, os.killpg], ids=["the command", "every process of the job"])
    def test_after_slurm_ended(self, tmp_path, undisturbed, end):
        process = subprocess.Popen(
            command(tmp_path, "--workers", "2"), stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        wait_for_scores(tmp_path, process)
        workers = psutil.Process(process.pid).children(recursive=True)
        before = scores(tmp_path)["architecture"].nunique()
        end(process.pid, signal.SIGTERM)
        output, _ = process.communicate()
        assert process.returncode == 143
        assert "the worker" not in output
        assert scores(tmp_path)["architecture"].nunique() > before, "the networks in hand are finished"
        assert not psutil.wait_procs(workers, timeout=20)[1]
        assert "repeat the command to resume" in output
        subprocess.run(command(tmp_path), check=True)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    @pytest.mark.nightly
    def test_beside_a_second_run_which_is_refused(self, tmp_path, undisturbed):
        process = subprocess.Popen(command(tmp_path, "--workers", "2"))
        wait_for_scores(tmp_path, process)
        # It stands still while the second one, which takes a while to start, looks at the store.
        process.send_signal(signal.SIGSTOP)
        second = subprocess.run(command(tmp_path), check=False, capture_output=True, text=True)
        process.send_signal(signal.SIGCONT)
        assert second.returncode == 2
        assert second.stderr.startswith("harness: another run is writing")
        assert process.wait() == 0
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)

    def test_whatever_the_wall_clock_says(self, tmp_path, undisturbed, monkeypatch):
        looks = itertools.count()
        monkeypatch.setattr(time, "time", lambda: 1e9 - 3600 * next(looks))
        run(digits_plan(24), tmp_path)
        pd.testing.assert_frame_equal(scores(tmp_path), undisturbed, check_exact=True)
        with Store.read(tmp_path) as store:
            assert (store.scores()[["own_seconds", "standalone_seconds"]] >= 0).all(axis=None)


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


def test_progress_counts_what_was_done_before(tmp_path):
    run(digits_plan(2, "params"), tmp_path)
    seen = []
    run(digits_plan(4, "params"), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 4), (3, 4), (4, 4)]


def test_any_executor_serves(tmp_path):
    table = harness.run("digits", sample=2, proxies="params", batch_size=8, out=tmp_path, executor=InlineExecutor)
    assert list(table["status"]) == ["ok", "ok"]


def test_batches_that_were_changed_are_put_back(tmp_path):
    run(digits_plan(1, "snip"), tmp_path)
    (tmp_path / "batches.npz").write_bytes(b"garbage")
    run(digits_plan(2, "snip"), tmp_path)
    assert set(scores(tmp_path)["status"]) == {"ok"}
