"""A run on a Dask cluster whose workers and scheduler are killed again and again, beside the undisturbed run.

    python tests/stress/dask_kills.py --networks 10000 --seed 1

A scheduler and two workers run on this machine. A killer with a seed ends a worker with ``kill -9`` every few seconds,
and the scheduler once or twice; workers are started again by Dask's nannies, the scheduler and the command by this
script, as whoever looks after a cluster would. The table must be that of the same command in one process, bit for bit.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))
from faults import kill, rows

PROXIES = "params,layers,convolutions,l2_norm,log_layer_sizes_all"
REFUSED = 2


class Cluster:
    """A scheduler at one address and two workers, begun again when they have died."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def keep_up(self) -> list[str]:
        """Start what does not run; says what that was."""
        port = self.address.rpartition(":")[2]
        commands = {
            "scheduler": ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"],
            "workers": ["worker", self.address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"],
        }
        commands["workers"] += ["--local-directory", str(self.folder / "workers")]
        started = []
        for name, arguments in commands.items():
            if name not in self.processes or self.processes[name].poll() is not None:
                with (self.folder / f"{name}.txt").open("ab") as log:
                    self.processes[name] = subprocess.Popen(
                        [sys.executable, "-m", "dask", *arguments], stdout=log, stderr=log, start_new_session=True
                    )
                started.append(name)
        return started

    def workers(self) -> list[psutil.Process]:
        """The processes that compute, not the nannies that look after them."""
        try:
            children = psutil.Process(self.processes["workers"].pid).children(recursive=True)
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.Error:
            return []

    def close(self) -> None:
        """End everything at once."""
        workers = self.workers()
        for process in self.processes.values():
            process.kill()
            process.wait()
        for worker in workers:
            kill(worker)


class Killer(threading.Thread):
    """Kills a worker every few seconds, and the scheduler at drawn moments of the run's progress.

    Args:
        cluster: to be disturbed.
        out: the run's directory, whose progress is looked at.
        outcomes: of the whole run.
        seed: of what is drawn.
        every: seconds from one worker's death to the next, on average.
    """

    def __init__(self, cluster: Cluster, out: Path, outcomes: int, seed: int, every: float) -> None:
        super().__init__(daemon=True)
        self.cluster, self.out, self.outcomes, self.every = cluster, out, outcomes, every
        self.draw = random.Random(seed)
        self.scheduler_moments = sorted(self.draw.uniform(0.2, 0.8) for _ in range(self.draw.randrange(1, 3)))
        self.workers_killed = self.schedulers_killed = 0
        self.over = threading.Event()

    def run(self) -> None:
        """Until the run is over; begins when something is stored."""
        while not self.over.wait(self.every * self.draw.uniform(0.5, 1.5)):
            done = len(rows(self.out)) / self.outcomes
            if self.scheduler_moments and done > self.scheduler_moments[0]:
                self.scheduler_moments.pop(0)
                self.cluster.processes["scheduler"].kill()
                self.schedulers_killed += 1
                print(f"killed the scheduler at {done:.0%}", flush=True)
            workers = sorted(self.cluster.workers(), key=lambda worker: worker.pid)
            if workers and done > 0:
                kill(self.draw.choice(workers))
                self.workers_killed += 1


def command(out: Path, networks: int, *options: str) -> list[str]:
    """The run, here or on a cluster."""
    arguments = ["run", "nats-tss", "--sample", str(networks), "--images", "noise", "--batch-size", "8"]
    return [sys.executable, "-m", "harness", *arguments, "--proxies", PROXIES, "--out", str(out), *options]


def disturbed(folder: Path, networks: int, seed: int, every: float) -> None:
    """The run on a cluster, started again whenever the scheduler's death ends it."""
    out, outcomes = folder / "run", networks * len(PROXIES.split(","))
    cluster = Cluster(folder)
    killer = Killer(cluster, out, outcomes, seed, every)
    starts = restarts = 0
    begun = time.monotonic()
    process: subprocess.Popen[str] | None = None
    try:
        cluster.keep_up()
        killer.start()
        while process is None or process.poll() is None:
            if process is None:
                options = ("--executor", "dask", "--scheduler", cluster.address)
                process = subprocess.Popen(
                    command(out, networks, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
                starts += 1
            time.sleep(0.2)
            restarts += len(cluster.keep_up())
            if process.poll() == REFUSED:
                output, _ = process.communicate()
                print(output.strip(), flush=True)
                if "lost connection to the Dask" not in output and "no response from a Dask" not in output:
                    sys.exit("LOST: the command was refused for another reason")
                process = None
        output, _ = process.communicate()
        if process.returncode:
            sys.exit(f"LOST: exit code {process.returncode}\n{output}")
        print(output.strip(), flush=True)
    finally:
        killer.over.set()
        cluster.close()
        if process is not None:
            process.kill()
    print(
        f"{networks:,} networks in {time.monotonic() - begun:.0f} s on 2 workers, of which {killer.workers_killed} "
        f"were killed; the scheduler {killer.schedulers_killed} times; {restarts} restarts of scheduler or nannies, "
        f"the command started {starts} times"
    )


def main() -> int:
    """Both runs, and whether they are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the killer")
    parser.add_argument("--every", type=float, default=6.0, help="seconds between deaths of workers, on average")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        disturbed(folder, options.networks, options.seed, options.every)
        begun = time.monotonic()
        subprocess.run(command(folder / "undisturbed", options.networks), check=True, stdout=subprocess.DEVNULL)
        print(f"undisturbed in one process: {time.monotonic() - begun:.0f} s")
        found, expected = rows(folder / "run"), rows(folder / "undisturbed")
        if found != expected or len(expected) != options.networks * len(PROXIES.split(",")):
            differing = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
            print(f"LOST: {len(differing)} outcomes differ, such as {differing[:3]}: {found.get(differing[0])}")
            shutil.copytree(folder, Path(tempfile.mkdtemp()) / "kept")
            return 1
        print(f"equal: {len(found):,} outcomes, bit for bit, none lost and none twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
