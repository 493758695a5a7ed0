"""A store works without shared memory, can be read from a read-only directory, and explains what does not work."""

from __future__ import annotations

import random
import shutil
import subprocess
from contextlib import contextmanager

import pandas as pd
import pytest

import harness
from harness.errors import HarnessError, StoreError
from harness.store import Store, file_systems
from harness.store import sqlite as store_files
from harness.store.file_systems import network_file_system
from harness.store.maintenance import compact, verify
from harness.store.records import Score, UnitResult
from harness.store.sqlite import FILE_NAME


@contextmanager
def mounted(place, *options):
    """A file system at a place; skips the test where none can be mounted."""
    try:
        made = subprocess.run(["mount", *options, str(place)], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if made.returncode:
        pytest.skip(f"nothing can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def unwritable(place):
    """A directory on a read-only file system."""
    with mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield


def read(directory):
    with Store.read(directory) as store:
        return store.scores()


def open_again(directory):
    with Store.read(directory) as model:
        pass
    return Store.create_or_open_like(directory, model)


def go_on(directory):
    harness.run("digits", sample=25, batch_size=8, sample_seed=0, proxies="params", out=directory)


def more(architecture="another"):
    return UnitResult(architecture, (Score("params", 1, "ok", 1.0, None, 0.0, 0.0),), 0.0)


@pytest.fixture
def run(digits_runs, tmp_path):
    return shutil.copytree(digits_runs[0], tmp_path / "run")


@pytest.fixture
def killed(run, tmp_path):
    """A run as ``kill -9`` leaves it: an outcome is committed in a log beside the database."""
    with open_again(run) as store:
        store.add(more())
        shutil.copytree(run, tmp_path / "killed")
    assert (tmp_path / "killed" / f"{FILE_NAME}-wal").stat().st_size > 0
    (tmp_path / "killed" / f"{FILE_NAME}-shm").unlink()
    return tmp_path / "killed"


class TestWhereNothingMayBeWritten:
    def test_a_run_is_read_and_reported(self, run):
        scores, table = read(run), harness.report(run).correlations
        with unwritable(run):
            pd.testing.assert_frame_equal(read(run), scores, check_exact=True)
            pd.testing.assert_frame_equal(harness.report(run).correlations, table, check_exact=True)
            assert all(finding.right for finding in verify(run))

    def test_it_is_merged_from(self, run, tmp_path):
        with unwritable(run):
            assert harness.merge([run], tmp_path / "merged").added == 192

    def test_what_a_killed_run_left_is_not_overlooked(self, killed):
        with unwritable(killed), pytest.raises(StoreError, match="copy the directory to a place that you can write to"):
            read(killed)
        assert "another" in set(read(killed)["architecture"])

    def test_nothing_is_computed_there(self, run):
        with unwritable(run), pytest.raises(StoreError, match="check that the directory is writable"):
            go_on(run)


class TestOverANetwork:
    @pytest.fixture
    def network(self, tmp_path, monkeypatch):
        listing = tmp_path / "mountinfo"
        root = str(tmp_path).replace(" ", "\\040")
        listing.write_text(f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {root} rw shared:1 - nfs4 host:/x rw\n")
        monkeypatch.setattr(file_systems, "_MOUNTS", listing)

    def journal(self, directory):
        with Store.read(directory) as store:
            return store.connection.execute("PRAGMA journal_mode").fetchone()[0]

    def test_the_kind_is_that_of_the_innermost_mount(self, network, tmp_path):
        assert network_file_system(tmp_path / "run") == "nfs4"
        assert network_file_system(tmp_path.parent) is None

    def test_scores_are_kept_without_shared_memory(self, network, tmp_path):
        scores = harness.run("digits", sample=3, batch_size=8, proxies="params", out=tmp_path / "new")
        assert self.journal(tmp_path / "new") == "delete", "the database's own default, which needs none"
        assert not list((tmp_path / "new").glob("*-shm"))
        assert len(scores) == 3

    def test_a_log_from_another_journal_mode_is_recovered(self, killed, network):
        with open_again(killed) as store:
            assert len(store.scores()) == 193
            store.add(more("a third"))
            assert "a third" in set(read(killed)["architecture"]), "readers see it while the writer goes on"
        assert not list(killed.glob("*-wal"))
        assert len(read(killed)) == 194

    def test_a_lock_that_is_not_given_may_be_the_file_system_s_fault(self, network, run):
        with (
            open_again(run),
            pytest.raises(
                StoreError, match=r"another run is writing to .*, or its file system \(nfs4\) does not support locks"
            ),
        ):
            open_again(run)


def test_compacting_is_possible_over_a_network_too(killed, monkeypatch):
    monkeypatch.setattr(store_files, "network_file_system", lambda directory: "nfs4")
    compact(killed)
    assert len(read(killed)) == 193


def test_without_shared_memory_the_rollback_journal_is_used(tmp_path, monkeypatch):
    address = store_files._address
    # SQLite's ways to lock other than the usual share no memory.
    monkeypatch.setattr(store_files, "_address", lambda path, mode: f"{address(path, mode)}&vfs=unix-dotfile")
    scores = harness.run("digits", sample=3, batch_size=8, proxies="params", out=tmp_path)
    with Store.read(tmp_path) as store:
        assert store.connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert len(scores) == 3


def test_a_transaction_that_was_half_done_on_the_older_journal_is_taken_back(tmp_path, run, monkeypatch):
    monkeypatch.setattr(store_files, "network_file_system", lambda directory: "nfs4")
    with open_again(run) as store:
        before = store.scores()
        store.connection.execute("PRAGMA cache_size = 1")
        store.connection.execute("BEGIN")
        store.connection.execute("UPDATE scores SET own_seconds = own_seconds + 1")
        store.connection.execute("UPDATE scores SET error = 'changed' || hex(zeroblob(2000))")
        killed = shutil.copytree(run, tmp_path / "killed")
        store.connection.execute("ROLLBACK")
    assert (killed / f"{FILE_NAME}-journal").stat().st_size > 0
    pd.testing.assert_frame_equal(read(killed), before, check_exact=True)


class TestAFullDisk:
    def test_at_the_start_and_in_the_midst_of_a_run(self, tmp_path, run):
        (tmp_path / "small").mkdir()
        with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=8k", "tmpfs"):
            with pytest.raises(StoreError, match="free some disk space"):
                harness.run("digits", sample=3, batch_size=8, proxies="params", out=tmp_path / "small" / "run")
            self.resize(tmp_path / "small", "400k")
            place = shutil.copytree(run, tmp_path / "small" / "copy")
            with open_again(place) as store:
                added = []
                with pytest.raises(StoreError, match="free some disk space and repeat the command"):
                    for number in range(10_000):
                        store.add(more(f"{number} {'x' * 500}"))
                        added.append(number)
                assert len(added) > 10
                assert len(read(place)) == 192 + len(added)
            self.resize(tmp_path / "small", "20m")
            with open_again(place) as store:
                store.add(more())
            assert len(read(place)) == 193 + len(added)
            assert verify(place)[0].right

    def resize(self, place, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_store_is_refused_with_a_clear_message_or_harmless(run, seed):
    draw = random.Random(seed)
    content = bytearray((run / FILE_NAME).read_bytes())
    for _ in range(draw.randrange(1, 4)):
        start = draw.randrange(len(content))
        length = draw.choice([1, 16, 500, 5000])
        content[start : start + length] = draw.randbytes(len(content[start : start + length]))
    (run / FILE_NAME).write_bytes(content[: draw.choice([len(content), draw.randrange(len(content))])])
    for look in (verify, read, go_on):
        try:
            look(run)
        except HarnessError as error:
            assert "\n" not in str(error)
