"""An interrupted and resumed run ends with the same scores, bit for bit, wherever it is computed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest
from small_runs import PROXIES, digits_plan, scores

import harness
from harness.errors import StoreError
from harness.execution.executors import InlineExecutor
from harness.execution.runner import run
from harness.store import Store


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


def test_the_versions_of_the_libraries_that_build_networks_are_noted_where_they_are_installed(tmp_path, monkeypatch):
    plan = digits_plan(1)
    monkeypatch.setattr(type(plan.benchmark), "libraries", ("pluggy", "no_such_library"))
    run(plan, tmp_path)
    with Store.read(tmp_path) as store:
        noted = store.manifest()["packages"]
    assert "pluggy" in noted and "no-such-library" not in noted
