"""Faults drawn at random against a real run, which must end with the table of the undisturbed one, bit for bit.

    python tests/stress/stress.py --seed 7 --rounds 50

A round is a run of the embedded benchmark in a directory of its own. One to four faults disturb it, each at a start of
the same command; then the command is started until it ends well. After every start nothing that was stored may be
lost or changed, and every network is stored with all its outcomes or none. Every fault is printed with what was drawn
for it: round r of seed s is ``--seed s --first r --rounds 1``. The draws are the same again; at which instruction a
process is hit is not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from faults import FAULTS, HERE, NETWORKS, PROXIES, UNFINISHED, WANTED, LostError, Run, rows

Rows = dict[tuple[str, str], tuple[object, ...]]
STARTS = 4


def undisturbed(folder: Path) -> Rows:
    """The table that every round must end with, computed in one process."""
    import harness

    os.environ["STRESS_TROUBLE"] = str(folder / "none")
    proxies = [*PROXIES.split(","), f"{HERE / 'troubled.py'}:troubled"]
    harness.run("digits", sample=NETWORKS, proxies=proxies, batch_size=8, out=folder / "undisturbed")
    return rows(folder / "undisturbed")


def stress_round(
    seed: int,
    number: int,
    expected: Rows,
    folder: Path,
    *,
    bug: str | None = None,
    clock: Path | None = None,
    faults: list[str] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """One run and what happens to it.

    Args:
        seed: of the draws.
        number: of the round.
        expected: from :func:`undisturbed`.
        folder: where the run goes.
        bug: a bug to plant, one of those of ``planted.py``.
        clock: the library that moves the clock, from :func:`clock_library`.
        faults: names of the faults in place of drawn ones.
        say: called with each line of the record.

    Raises:
        LostError: if the run is not what it would be undisturbed.
    """
    draw = random.Random(f"{seed}/{number}")
    run = Run(folder, bug=bug, clock=clock)
    drawn = faults or draw.choices(list(FAULTS), k=draw.randrange(1, 5))
    if faults is None:
        drawn.sort(key=lambda name: name not in UNFINISHED)
    for name in drawn:
        before = rows(run.out)
        say(f"seed {seed} round {number}: {name} …")
        outcome = FAULTS[name](run, draw)
        after = rows(run.out)
        say(f"seed {seed} round {number}: {name}, {outcome}; {len(after)} of {len(expected)} outcomes")
        check_kept(before, after, expected)
    for _ in range(STARTS):
        before = rows(run.out)
        output = run.ended(run.start(), 0)
        check_kept(before, rows(run.out), expected)
        computed = int(output[output.index("scored, ") :].split()[1])
        failed = {architecture for (architecture, _), row in before.items() if row[1] == "failed"}
        whole = len({architecture for architecture, _ in before}) - (len(failed) if run.retry_failed else 0)
        if computed != NETWORKS - whole:
            raise LostError(f"{computed} networks were computed although {whole} of {NETWORKS} were stored")
        if not any(row[1] == "failed" for row in rows(run.out).values()):
            break
    found = rows(run.out)
    if found != expected:
        differing = {key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}
        key = min(differing)
        raise LostError(
            f"{len(differing)} outcomes differ from the undisturbed run's, the first of {key}: "
            f"{found.get(key)} in place of {expected.get(key)}"
        )
    check_sound(run.out)


def check_kept(before: Rows, after: Rows, expected: Rows) -> None:
    """Nothing is lost or changed, failures apart; every network has all its outcomes, or none."""
    for key, row in before.items():
        if row[1] != "failed" and after.get(key) != row:
            raise LostError(f"{key} was {row} and is {after.get(key)}")
    for key, row in after.items():
        if row[1] != "failed" and row != expected.get(key):
            raise LostError(f"{key} is {row}, undisturbed {expected.get(key)}")
        if row[1] == "failed" and "was already reached" not in str(row[3]) and key[1] != "troubled":
            raise LostError(f"{key} failed, and no fault was meant for it: {row[3]}")
    counts: dict[str, int] = {}
    for architecture, _ in after:
        counts[architecture] = counts.get(architecture, 0) + 1
    torn = {architecture: count for architecture, count in counts.items() if count != WANTED}
    if torn:
        raise LostError(f"networks with a part of their {WANTED} outcomes: {torn}")


def check_sound(out: Path) -> None:
    """What ``harness store verify`` looks at is right, and no time is negative."""
    from harness.store import Store
    from harness.store.maintenance import verify

    wrong = [finding.line() for finding in verify(out) if not finding.right]
    if wrong:
        raise LostError("; ".join(wrong))
    with Store.read(out) as store:
        times = store.scores()[["own_seconds", "standalone_seconds"]]
    if not (times >= 0).all(axis=None):
        raise LostError("a time is negative")


def clock_library(folder: Path) -> Path | None:
    """The library that moves the wall clock of a process; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "moved_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "moved_clock.c")], check=True)
    return library


def main() -> int:
    """Rounds until they are done, the time is over, or something is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--rounds", type=int, default=10, help="runs that are disturbed")
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--minutes", type=float, help="begin no round after so long")
    parser.add_argument("--bug", help="plant one of the bugs of planted.py, to see it found")
    parser.add_argument("--fault", action="append", help="this fault in place of drawn ones; may be repeated")
    options = parser.parse_args()
    begun = time.monotonic()
    done = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        expected, clock = undisturbed(folder), clock_library(folder)
        for number in range(options.first, options.first + options.rounds):
            if options.minutes is not None and time.monotonic() - begun > 60 * options.minutes:
                break
            (folder / str(number)).mkdir()
            try:
                stress_round(
                    options.seed,
                    number,
                    expected,
                    folder / str(number),
                    bug=options.bug,
                    clock=clock,
                    faults=options.fault,
                    say=lambda line: print(line, flush=True),
                )
            except LostError as error:
                print(f"LOST in round {number} of seed {options.seed}: {error}")
                return 1
            done += 1
    print(f"{done} rounds of seed {options.seed}: nothing lost, in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
