"""Plants the bugs of ``bugs/*.toml``, one at a time: ``python tests/mutations/try_bugs.py [--workers N] [WORD ...]``.

Each is planted in a copy of the tree, where its tests are run as every day: without those that are nightly and without
real data. What caught it goes to ``README.md``. The libraries are imported once, and each bug is tried in a fork.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planted_bugs import ROOT, SURVIVED, Bug, all_bugs, recorded, write_record

COPIED = ("harness", "benchmarks", "tests", "tools", "results", "docs")
LIBRARIES = (
    "torch", "torch.func", "pandas", "scipy.stats", "scipy.optimize", "scipy.cluster.hierarchy", "sklearn.datasets",
    "pyarrow.parquet", "matplotlib.figure", "matplotlib.backends.backend_agg", "hypothesis", "typer", "rich.progress",
    "jinja2", "pytest",
)  # fmt: skip
MOST_SECONDS = 900
_BROKEN = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)


@dataclass
class Place:
    """A copy of the tree, used by one worker."""

    root: Path

    def __post_init__(self) -> None:
        for name in COPIED:
            shutil.copytree(
                ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__", "runs", ".hypothesis")
            )
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy2(path, self.root / path.name)

    def plant(self, bug: Bug) -> None:
        """The tree with the bug."""
        bug.plant(self.root)

    def mend(self, bug: Bug) -> None:
        """The tree as it was; what was compiled of the bug is gone too."""
        path = self.root / bug.file
        shutil.copy2(ROOT / bug.file, path)
        if path.suffix == ".py":
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


@dataclass
class Trial:
    """The tests of one bug, running in a process of their own."""

    bug: Bug | None
    place: Place
    process: int
    output: Path
    began: float

    @classmethod
    def start(cls, bug: Bug | None, place: Place, tests: Sequence[str]) -> Trial:
        """Plant the bug, if it is one, and run the tests."""
        if bug is not None:
            place.plant(bug)
        output = place.root.with_suffix(".txt")
        process = os.fork()
        if process == 0:
            _run_tests(place.root, tests, output)
        return cls(bug, place, process, output, time.monotonic())

    def ended(self) -> bool:
        """Whether the tests are through; after too long they are ended."""
        if time.monotonic() - self.began > MOST_SECONDS:
            os.killpg(self.process, signal.SIGKILL)
        return os.waitpid(self.process, os.WNOHANG)[0] != 0

    def broken(self) -> list[str]:
        """The tests that failed."""
        return _BROKEN.findall(self.output.read_text(encoding="utf-8", errors="replace"))

    def told(self) -> bool:
        """Whether tests were run and had something to say: files that cannot even be read have caught nothing."""
        text = self.output.read_text(encoding="utf-8", errors="replace")
        return all("::" in test for test in self.broken()) and re.search(r"\d (passed|failed|error)", text) is not None


def _run_tests(root: Path, tests: Sequence[str], output: Path) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(root)
    paths = [str(root), str(root / "benchmarks")]
    sys.path[:] = [*paths, *sys.path[1:]]
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "HARNESS_TEST_DATA": str(root / "no real data")}
    # Worker processes run again what this process seems to have run.
    sys.modules["__main__"] = importlib.import_module("pytest.__main__")
    sys.argv = ["pytest"]
    import pytest

    options = ["-x", "-rfE", "--tb=line", "--no-header", "-m", "not nightly", "-p", "no:cacheprovider"]
    code = pytest.main([*options, f"--basetemp={root}.tmp", *tests])
    sys.stdout.flush()
    os._exit(int(code))


@contextlib.contextmanager
def _none_left(running: Sequence[Trial]) -> Iterator[None]:
    """Whoever stops the trials stops their processes too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        for trial in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(trial.process, signal.SIGKILL)


def tried(
    bugs: Sequence[Bug], caught_before: Mapping[tuple[str, str], str], workers: int, say: Callable[[str], None]
) -> Iterator[tuple[Bug, str, float]]:
    """Each bug with the test that caught it, and the seconds that it took.

    Raises:
        SystemExit: if one of these tests fails on the tree as it is.
    """
    for library in LIBRARIES:
        importlib.import_module(library)
    running: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="planted-") as folder, _none_left(running):
        free = [Place(Path(folder) / f"tree{number}") for number in range(workers)]
        waiting = list(bugs)
        caught: dict[str, None] = {}
        while waiting or running:
            while waiting and free:
                bug = waiting.pop(0)
                before = caught_before.get((bug.file, bug.says), SURVIVED)
                first = [] if before == SURVIVED else [bug.narrowed(before)]
                running.append(Trial.start(bug, free.pop(), [*first, *bug.tests]))
            time.sleep(0.1)
            for trial in [each for each in running if each.ended()]:
                running.remove(trial)
                free.append(trial.place)
                assert trial.bug is not None
                trial.place.mend(trial.bug)
                found = trial.broken()
                if not trial.told():
                    say(trial.output.read_text(encoding="utf-8", errors="replace")[-2000:])
                    found = []
                caught |= dict.fromkeys(map(trial.bug.narrowed, found[:1]))
                yield trial.bug, found[0] if found else SURVIVED, time.monotonic() - trial.began
        if caught:
            say(f"{len(caught)} tests on the tree as it is")
            control = Trial.start(None, free[0], list(caught))
            while not control.ended():
                time.sleep(0.1)
            if control.broken() or not control.told():
                raise SystemExit(control.output.read_text(encoding="utf-8", errors="replace")[-2000:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="bugs that are tried at once")
    parser.add_argument("--untried", action="store_true", help="only those that no test is recorded for")
    parser.add_argument("--room", help="only those of this list")
    parser.add_argument("words", nargs="*", help="in the file or the words of the bugs to try; all if none")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    record, bugs = recorded(), all_bugs()
    chosen = [bug for bug in bugs if options.room in (None, bug.room)]
    chosen = [bug for bug in chosen if not options.words or bug.answers_to(options.words)]
    if options.untried:
        chosen = [bug for bug in chosen if record.get((bug.file, bug.says), SURVIVED) == SURVIVED]
    survived, seconds = 0, []
    for bug, by, took in tried(chosen, dict(record), options.workers, say):
        record[bug.file, bug.says] = by
        survived += by == SURVIVED
        seconds.append(took)
        write_record(record)
        say(f"{took:4.0f} s  {bug.file}: {bug.says}: {by}")
    say(f"{len(seconds) - survived} of {len(seconds)} caught")
    sys.exit(bool(survived))


if __name__ == "__main__":
    main()
