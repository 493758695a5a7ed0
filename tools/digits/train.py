"""Train the cells of the digits benchmark: ``python -m tools.digits.train --workers 2 --out results/runs/digits``.

Each finished training is written as one line of ``trainings.csv`` in the output directory. With the same directory, the
script resumes with the missing trainings, with any number of workers and the same results. When all are done, it writes
``accuracies.csv.gz`` and ``recipe.json``, the two files that are committed beside this script.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

import numpy as np
from harness_benchmarks.digits.recipe import RECIPE
from harness_benchmarks.digits.table import write_accuracies
from harness_benchmarks.nb201.topology import enumerate_architectures

from harness.errors import HarnessError
from harness.seeds import derive_seed

CELLS = 500
SEEDS = 9

Unit = tuple[str, int]
"""One training: an architecture string and a seed index."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one training: test accuracy in percent, and its duration in seconds."""

    accuracy: float
    seconds: float


def sample_cells(count: int) -> list[str]:
    """Architecture strings drawn uniformly without replacement from all 15,625; smaller samples are prefixes."""
    everything = enumerate_architectures()
    order = np.random.default_rng(derive_seed("digits", "cells")).permutation(len(everything))
    return [everything[i] for i in order[:count]]


def read_ledger(path: Path) -> dict[Unit, Outcome]:
    """The finished trainings; an incomplete last line is dropped."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole_lines = text[: text.rfind("\n") + 1]
    path.write_text(whole_lines, encoding="utf-8")
    rows = csv.DictReader(io.StringIO(whole_lines))
    return {
        (row["architecture"], int(row["seed"])): Outcome(float(row["accuracy"]), float(row["seconds"])) for row in rows
    }


def train_missing(units: list[Unit], workers: int, ledger: Path) -> None:
    """Train each unit and append it to the ledger, with a progress line every few seconds."""
    if not ledger.exists():
        ledger.parent.mkdir(parents=True, exist_ok=True)
        ledger.write_text("architecture,seed,accuracy,seconds\n", encoding="utf-8")
    start = last = time.monotonic()
    with ledger.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for done, ((architecture, seed), outcome) in enumerate(_train_all(units, workers), start=1):
            writer.writerow([architecture, seed, repr(outcome.accuracy), f"{outcome.seconds:.3f}"])
            file.flush()
            now = time.monotonic()
            if now - last > 10 or done == len(units):
                last, rate = now, done / (now - start)
                left = (len(units) - done) / rate / 60
                sys.stderr.write(f"{done} of {len(units)} trainings, {rate:.2f} per second, {left:.1f} minutes left\n")


def _train_all(units: list[Unit], workers: int) -> Iterator[tuple[Unit, Outcome]]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_one_thread) as executor:
        waiting = iter(units)
        running: dict[Future[Outcome], Unit] = {}
        while True:
            while len(running) < 4 * workers and (unit := next(waiting, None)) is not None:
                running[executor.submit(_train, unit)] = unit
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _train(unit: Unit) -> Outcome:
    from harness_benchmarks.digits.training import train_once

    start = time.process_time()
    accuracy = train_once(*unit, RECIPE)
    return Outcome(accuracy, time.process_time() - start)


def check_recipe(folder: Path) -> None:
    """Refuse to resume in a directory that was started with another recipe.

    Raises:
        HarnessError: if the recipe differs.
    """
    path, recipe = folder / "recipe.txt", f"{RECIPE}\n"
    if path.exists() and path.read_text(encoding="utf-8") != recipe:
        raise HarnessError(f"{folder} has trainings with another recipe; use another --out")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(recipe, encoding="utf-8")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="directory for the trainings and the two final files")
    parser.add_argument("--workers", type=int, default=1, help="number of processes, each with one thread")
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    try:
        check_recipe(options.out)
    except HarnessError as error:
        sys.exit(str(error))
    cells, ledger = sample_cells(options.cells), options.out / "trainings.csv"
    # Seeds are the outer loop, so that a run that is stopped early has complete seeds.
    units = [(cell, seed) for seed in range(options.seeds) for cell in cells]
    done = read_ledger(ledger)
    train_missing([unit for unit in units if unit not in done], options.workers, ledger)
    outcomes = read_ledger(ledger)
    table = [[outcomes[cell, seed].accuracy for seed in range(options.seeds)] for cell in cells]
    seconds = sum(outcomes[unit].seconds for unit in units)
    write_accuracies(options.out, cells, np.array(table), seconds)


if __name__ == "__main__":
    main()
