"""A Dask cluster on this machine: the same scores, whatever dies."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest

import harness
from harness.errors import DataError, HarnessError
from harness.execution.dask_executor import DaskExecutor
from harness.execution.job import Job, benchmark_of
from harness.images.batches import BATCHES_FILE, provide_batches, read_batches
from harness.store import Store

pytest.importorskip("distributed", reason="Dask is an extra")

SETTING = {"sample": 40, "proxies": "params,snip,naswot", "batch_size": 8}
SCORE = ["architecture", "proxy", "status", "value"]


@contextmanager
def process(*arguments):
    """A Dask process that is ended with all its children."""
    started = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        with_children = [started.pid, *(child.pid for child in children(started.pid))]
        for pid in with_children:
            if psutil.pid_exists(pid):
                psutil.Process(pid).kill()
        started.wait()


def children(pid):
    return psutil.Process(pid).children(recursive=True) if psutil.pid_exists(pid) else []


@contextmanager
def cluster(folder, threads=1):
    """A scheduler and two workers; yields its file and both processes."""
    file = folder / "cluster.json"
    with process(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
    ) as s:
        wait_until(file.is_file)
        options = [
            "--nworkers",
            "2",
            "--nthreads",
            str(threads),
            "--no-dashboard",
            "--local-directory",
            str(folder / "w"),
        ]
        with process("worker", "--scheduler-file", str(file), *options) as w:
            from distributed import Client

            with Client(scheduler_file=str(file), set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            yield file, s, w


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def computing(worker):
    """The processes of the workers proper, not those that look after them."""
    return [c for c in children(worker.pid) if "spawn_main" in " ".join(c.cmdline())]


def read(directory):
    with Store.read(directory) as store:
        return store.scores()[SCORE]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return harness.run("digits", out=tmp_path_factory.mktemp("inline"), **SETTING)[SCORE]


SCRIPT = """
import sys
from pathlib import Path

import harness
from harness.execution import DaskExecutor
from torch import nn

def build(name):
    width = int(name[1:])
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))

@harness.proxy("own_width", better="higher", data="nothing", cite="me2026")
def own_width(probe):
    "The number of channels."
    return float(probe.network[0].out_channels)

def made():
    task = harness.Task("mine", (3, 8, 8), 10)
    return harness.Benchmark.from_table(Path(__file__).with_name("widths.csv"), build=build, task=task)

widths = made()
OPTIONS = {"proxies": ["params", "naswot", own_width], "images": "noise", "batch_size": 4}

if __name__ == "__main__":
    which, scheduler, out = sys.argv[1:]
    hidden = made()
    benchmark = {"widths": widths, "hidden": hidden}[which]
    harness.run(benchmark, out=out, executor=lambda: DaskExecutor(scheduler), **OPTIONS)
"""


class TestBenchmarksOfYourOwn:
    """Workers load them from their file; their main program is Dask's, and so is their directory."""

    def test_by_file_and_in_a_script(self, tmp_path):
        script = tmp_path / "my_script_on_dask.py"
        script.write_text(SCRIPT)
        (tmp_path / "widths.csv").write_text("architecture,accuracy\nw2,50\nw4,60\nw6,61\n")
        options = ["--images", "noise", "--batch-size", "4", "--proxies", "params,naswot"]
        own = ["--proxy", f"{script}:own_width"]

        def call(*arguments):
            return subprocess.run(
                [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path, check=False
            )

        def run(name, *arguments):
            made = call("-m", "harness", "run", f"{script}:{name}", *options, *own, *arguments)
            return made.returncode, made.stderr.strip().splitlines()

        assert run("widths", "--out", tmp_path / "here")[0] == 0
        with cluster(tmp_path) as (file, _, _):
            on_dask = ["--executor", "dask", "--scheduler", file]
            assert run("widths", *on_dask, "--out", tmp_path / "there")[0] == 0
            assert call(script, "widths", file, tmp_path / "scripted").returncode == 0
            refused = call(script, "hidden", file, tmp_path / "hidden")
        expected = read(tmp_path / "here")
        assert len(expected) == 9 and set(expected["status"]) == {"ok"}
        pd.testing.assert_frame_equal(read(tmp_path / "there"), expected, check_exact=True)
        pd.testing.assert_frame_equal(read(tmp_path / "scripted"), expected, check_exact=True)
        assert "a worker cannot find the benchmark" in refused.stderr and "not under if __name__" in refused.stderr

    @pytest.mark.parametrize(
        ("reference", "says"),
        [
            ("{}/gone.py:mine", r"cannot load the benchmark '.*gone.py:mine': cannot read the file .*gone.py"),
            ("no_such_package_at_all:mine", r"cannot import the benchmark 'no_such_package_at_all:mine' .*install its"),
            ("harness.seeds:mine", "cannot find the benchmark 'harness.seeds:mine'; define it at the top level"),
        ],
    )
    def test_what_a_worker_cannot_load_is_one_line(self, tmp_path, reference, says):
        job = Job(reference.format(tmp_path), "mine", 0, (), "", "", "cpu")
        with pytest.raises(DataError, match=f"a worker {says}") as raised:
            benchmark_of(job)
        assert "\n" not in str(raised.value)


class TestOnACluster:
    def test_the_scores_are_those_of_one_process_even_if_a_worker_is_killed(self, tmp_path, undisturbed):
        with cluster(tmp_path) as (file, _, worker):
            killed = []

            def kill_one(done, total):
                if done == 5 and not killed:
                    killed.append(computing(worker)[0])
                    killed[0].kill()

            place = functools.partial(DaskExecutor, str(file))
            scores = harness.run("digits", out=tmp_path / "run", executor=place, progress=kill_one, **SETTING)
            assert killed
            pd.testing.assert_frame_equal(scores[SCORE], undisturbed, check_exact=True)

    @pytest.mark.nightly
    def test_a_scheduler_that_dies_loses_nothing_that_is_stored(self, tmp_path, undisturbed):
        with cluster(tmp_path) as (file, scheduler, _):

            def kill(done, total):
                if done == 5:
                    scheduler.kill()

            place = functools.partial(DaskExecutor, str(file))
            with pytest.raises(HarnessError, match="lost connection to the Dask scheduler"):
                harness.run("digits", out=tmp_path / "run", executor=place, progress=kill, **SETTING)
        assert 5 <= read(tmp_path / "run")["architecture"].nunique() < 40
        scores = harness.run("digits", out=tmp_path / "run", **SETTING)[SCORE]
        pd.testing.assert_frame_equal(scores, undisturbed, check_exact=True)

    @pytest.mark.nightly
    def test_an_outcome_that_is_lost_with_its_worker_is_made_again(self, tmp_path, undisturbed, monkeypatch):
        from distributed import Future

        result, lost = Future.result, []

        def lose(future, timeout=None):
            if len(lost) < 3:
                lost.append(future.key)
                raise CancelledError("the worker that had it died")
            return result(future, timeout)

        monkeypatch.setattr(Future, "result", lose)
        with cluster(tmp_path) as (file, _, _):
            place = functools.partial(DaskExecutor, str(file))
            scores = harness.run("digits", out=tmp_path / "run", executor=place, **SETTING)
        assert len(lost) == 3
        pd.testing.assert_frame_equal(scores[SCORE], undisturbed, check_exact=True)

    @pytest.mark.nightly
    def test_workers_with_several_threads_are_refused(self, tmp_path):
        with (
            cluster(tmp_path, threads=2) as (file, _, _),
            pytest.raises(HarnessError, match=r"has 2 threads.*--nthreads 1"),
        ):
            DaskExecutor(str(file))


def test_a_worker_needs_no_file_of_mini_batches(tmp_path, digits_runs):
    with Store.read(digits_runs[0]) as store:
        fingerprint = store.setting.fingerprint
    elsewhere = tmp_path / BATCHES_FILE
    with pytest.raises(DataError, match="missing"):
        read_batches(elsewhere, fingerprint)
    provide_batches(fingerprint, (digits_runs[0] / BATCHES_FILE).read_bytes())
    try:
        assert len(read_batches(elsewhere, fingerprint)) == 2
    finally:
        from harness.images import batches

        batches._provided.clear()


def test_a_scheduler_file_that_is_not_there(tmp_path):
    with pytest.raises(HarnessError, match=r"no scheduler file '.*none.json'; give the file that 'dask scheduler"):
        DaskExecutor(str(tmp_path / "none.json"))


def test_a_scheduler_that_does_not_respond(monkeypatch):
    monkeypatch.setattr("harness.execution.dask_executor.PATIENCE", "1s")
    with pytest.raises(HarnessError, match=r"no response from a Dask scheduler at 'tcp://127.0.0.1:9'"):
        DaskExecutor("tcp://127.0.0.1:9")
