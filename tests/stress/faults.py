"""What can happen to a run: each fault starts the command once and disturbs it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

HERE = Path(__file__).parent
PROXIES = "params,layers,convolutions,l2_norm,log_layer_sizes_all"
NETWORKS = 24
WANTED = len(PROXIES.split(",")) + 1
"""Outcomes of each network."""

TIME_LIMIT = 3
PATIENCE = 150
_NO_FILE_BEYOND = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""

REFUSED, INTERRUPTED, TERMINATED = 2, 130, 143


class LostError(AssertionError):
    """Something was lost, changed, or ended otherwise than it should."""


@dataclass
class Run:
    """A run's directory, and the command that computes it, the same at every start."""

    folder: Path
    bug: str | None = None
    retry_failed: bool = False
    clock: Path | None = None
    starts: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "run"

    @property
    def trouble(self) -> Path:
        return self.folder / "trouble"

    def start(self, limit: int | None = None) -> subprocess.Popen[str]:
        """Start the command in a group of its own.

        Args:
            limit: bytes that no file may grow beyond.
        """
        self.starts += 1
        program = ["-m", "harness"] if self.bug is None else [str(HERE / "planted.py"), self.bug]
        options = ["--sample", NETWORKS, "--proxies", PROXIES, "--proxy", f"{HERE / 'troubled.py'}:troubled"]
        options += ["--batch-size", 8, "--workers", 2, "--time-limit", TIME_LIMIT, "--out", self.out]
        options += ["--retry-failed"] if self.retry_failed else []
        arguments = [sys.executable, *program, "run", "digits", *map(str, options)]
        if limit is not None:
            arguments = [sys.executable, "-c", _NO_FILE_BEYOND, str(limit), *arguments]
        return subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ | {"STRESS_TROUBLE": str(self.trouble), "OMP_NUM_THREADS": "1"} | self.environment,
        )

    def ended(self, process: subprocess.Popen[str], *codes: int) -> str:
        """What the command printed. It must end by itself with one of these exit codes; with 0, all is stored."""
        output = ended(process, *codes)
        if process.returncode == 0 and self.stored() != NETWORKS * WANTED:
            raise LostError(f"the command ended well with {self.stored()} of {NETWORKS * WANTED} outcomes")
        return output

    def stored(self) -> int:
        """Outcomes that are stored now, as any reader sees them."""
        return len(rows(self.out))


def rows(out: Path) -> dict[tuple[str, str], tuple[object, ...]]:
    """Every outcome in a store but its times, by architecture and proxy; read without the harness."""
    file = out / "scores.sqlite"
    if not file.is_file() or file.stat().st_size == 0:
        return {}
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
        if connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'scores'").fetchone() == (0,):
            return {}
        found = connection.execute("SELECT architecture, proxy, version, status, value, error FROM scores").fetchall()
    table = {(row[0], row[1]): tuple(row[2:]) for row in found}
    if len(table) < len(found):
        raise LostError("an outcome is stored twice")
    return table


def ended(process: subprocess.Popen[str], *expected: int) -> str:
    """What the command printed; it must end by itself, with one of these exit codes."""
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise LostError(f"the command did not end within {PATIENCE} seconds") from None
    if process.returncode not in expected or "Traceback (most recent call last)" in output:
        raise LostError(f"exit code {process.returncode}, expected {expected}:\n{output}")
    return output


def await_moment(run: Run, process: subprocess.Popen[str], draw: random.Random) -> str:
    """Wait until some networks more are stored, or for a while that may end before the first; says which."""
    if draw.random() < 0.3:
        seconds = draw.uniform(0, 6)
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        return f"after {seconds:.2f} s"
    more = draw.randrange(1, 70)
    wanted = run.stored() + more
    end = time.monotonic() + PATIENCE
    while process.poll() is None and run.stored() < wanted and time.monotonic() < end:
        time.sleep(0.01)
    return f"after {more} more outcomes"


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The worker processes that there are just now."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def kill(process: psutil.Process) -> None:
    """As ``kill -9`` does; one that is gone already is left alone."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def kill_parent(run: Run, draw: random.Random) -> str:
    """``kill -9`` of the command; its workers must end by themselves."""
    process = run.start()
    when = await_moment(run, process, draw)
    workers = workers_of(process)
    process.kill()
    run.ended(process, -signal.SIGKILL, 0)
    _, alive = psutil.wait_procs(workers, timeout=30)
    if alive:
        raise LostError("workers outlive their parent")
    return when


def kill_worker(run: Run, draw: random.Random) -> str:
    """``kill -9`` of a worker; the run must go on by itself."""
    process = run.start()
    when = await_moment(run, process, draw)
    for worker in workers_of(process)[:1]:
        kill(worker)
    run.ended(process, 0)
    return when


def kill_workers(run: Run, draw: random.Random) -> str:
    """``kill -9`` of every worker; the run must go on by itself."""
    process = run.start()
    when = await_moment(run, process, draw)
    for worker in workers_of(process):
        kill(worker)
    run.ended(process, 0)
    return when


def kill_everything(run: Run, draw: random.Random) -> str:
    """``kill -9`` of the command and its workers at once, as the end of a machine."""
    process = run.start()
    when = await_moment(run, process, draw)
    os.killpg(process.pid, signal.SIGKILL)
    run.ended(process, -signal.SIGKILL, 0)
    return when


def terminate(run: Run, draw: random.Random) -> str:
    """SIGTERM to every process of the job, as Slurm may send it."""
    return _signalled(run, draw, signal.SIGTERM, TERMINATED)


def interrupt(run: Run, draw: random.Random) -> str:
    """Ctrl-C in the terminal."""
    return _signalled(run, draw, signal.SIGINT, INTERRUPTED)


def _signalled(run: Run, draw: random.Random, number: signal.Signals, code: int) -> str:
    process = run.start()
    when = await_moment(run, process, draw)
    before = run.stored()
    os.killpg(process.pid, number)
    # A process that is only starting, or has done its work, dies of the signal as any other does.
    output = run.ended(process, 0, code, -number)
    told = output.find("interrupted: ")
    if told >= 0:
        networks = int(output[told:].split()[1])
        if networks * WANTED != run.stored() or run.stored() < before:
            raise LostError(f"{networks} networks are stored, the command says, but {run.stored()} outcomes are")
    return when


def fill_disk(run: Run, draw: random.Random) -> str:
    """No file may grow beyond what it is by more than a little: writing fails in the midst of a run."""
    sizes = [file.stat().st_size for file in run.out.glob("scores.sqlite*")] if run.out.is_dir() else []
    room = draw.randrange(0, 60_000)
    output = run.ended(run.start(limit=max(sizes, default=0) + room), 0, REFUSED)
    if "Error" in output:
        raise LostError(f"a full disk is not told in plain words:\n{output}")
    return f"with {room} bytes left"


def second_run(run: Run, draw: random.Random) -> str:
    """The same command twice at once: one of them is refused."""
    first = run.start()
    when = await_moment(run, first, draw)
    second = run.start()
    if "another run is writing" not in run.ended(second, 0, REFUSED) and second.returncode == REFUSED:
        raise LostError("the second run is refused for another reason than the first")
    run.ended(first, 0, REFUSED)
    return when


def move_clock(run: Run, draw: random.Random) -> str:
    """The wall clock jumps by hours, back and forth, as long as the run lasts."""
    if run.clock is None:
        return "not done: no C compiler"
    run.environment["LD_PRELOAD"] = str(run.clock)
    process = run.start()
    del run.environment["LD_PRELOAD"]
    when = await_moment(run, process, draw)
    process.kill()
    run.ended(process, -signal.SIGKILL, 0)
    return when


def spoil_batches(run: Run, draw: random.Random) -> str:
    """The file of the mini-batches is damaged; it must be put back."""
    file = run.out / "batches.npz"
    if not file.is_file():
        return "not done: no file yet"
    content = bytearray(file.read_bytes())
    content[draw.randrange(len(content))] ^= 0xFF
    file.write_bytes(content[: draw.randrange(len(content))])
    run.ended(run.start(), 0)
    return "put back"


def spoil_store(run: Run, draw: random.Random) -> str:
    """The store is damaged: the run refuses or goes on, but says nothing that is not so; then it is restored."""
    if not run.stored():
        return "not done: no store yet"
    saved = run.folder / "saved"
    shutil.copytree(run.out, saved)
    content = bytearray((run.out / "scores.sqlite").read_bytes())
    start = draw.randrange(len(content))
    content[start : start + 400] = draw.randbytes(len(content[start : start + 400]))
    (run.out / "scores.sqlite").write_bytes(content)
    output = ended(run.start(), 0, REFUSED)
    shutil.rmtree(run.out)
    saved.rename(run.out)
    return f"400 bytes from {start} on: {output.strip().splitlines()[-1][:60]}"


def _troubled(name: str, fails: bool) -> Callable[[Run, random.Random], str]:
    def cause(run: Run, draw: random.Random) -> str:
        if fails:
            run.retry_failed = True
        run.trouble.write_text(name)
        run.ended(run.start(), 0)
        if run.trouble.exists():
            run.trouble.unlink()
            return "met by no network"
        return "in one network"

    cause.__doc__ = f"A proxy in trouble: {name}."
    return cause


FAULTS: dict[str, Callable[[Run, random.Random], str]] = {
    "kill the command": kill_parent,
    "kill a worker": kill_worker,
    "kill every worker": kill_workers,
    "kill everything": kill_everything,
    "SIGTERM to all": terminate,
    "SIGINT to all": interrupt,
    "disk full": fill_disk,
    "two runs at once": second_run,
    "clock moved": move_clock,
    "mini-batches damaged": spoil_batches,
    "store damaged": spoil_store,
    "proxy segfaults": _troubled("segfault", fails=False),
    "proxy hangs": _troubled("hang", fails=False),
    "proxy leaks": _troubled("leak", fails=True),
    "proxy raises": _troubled("raise", fails=True),
    "proxy exits": _troubled("exit", fails=True),
}

UNFINISHED = ("kill the command", "kill everything", "SIGTERM to all", "SIGINT to all", "disk full", "clock moved")
"""Faults that leave something to be done for the next one."""
