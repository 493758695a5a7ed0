"""Collects training runs by architecture and converts them to a table.

The official files have one record per training run: up to four lengths (4, 12, 36 and 108 epochs), three runs of each
(Ying et al., "NAS-Bench-101", ICML 2019, sections 2.2 and 2.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness_benchmarks.nasbench101.cell import Cell, module_hash, parse_cell
from harness_benchmarks.nasbench101.metrics import Metrics

if TYPE_CHECKING:
    import pandas as pd

EPOCHS = (108, 36, 12, 4)
REPEATS = 3
_QUANTITIES = ("val", "test", "seconds")
_IMAGES_EVALUATED = 9984


class Trainings:
    """The training runs read so far, in arrays: a few hundred bytes per architecture."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._described: list[tuple[str, str]] = []
        self._cells: list[Cell] = []
        self._parameters: list[int] = []
        self._texts: dict[str, str] = {}
        self._values = np.empty((0, len(EPOCHS), REPEATS, len(_QUANTITIES)), dtype=np.float32)
        self._counts = np.empty((0, len(EPOCHS)), dtype=np.uint8)

    def add(self, name: str, epochs: int, adjacency: str, operations: str, metrics: Metrics) -> None:
        """Add one training run.

        Raises:
            ValueError: if it is not a training run of a NAS-Bench-101 cell, or one too many; the message says why.
        """
        row = self._row(name, adjacency, operations, metrics.parameters)
        if epochs not in EPOCHS:
            raise ValueError(f"it was trained for {epochs} epochs; expected: {', '.join(map(str, sorted(EPOCHS)))}")
        if metrics.epoch != epochs:
            raise ValueError(f"its last evaluation is of epoch {metrics.epoch:g}, but it was trained for {epochs}")
        for kind, accuracy in (("validation", metrics.validation), ("test", metrics.test)):
            if not 0 <= accuracy <= 1:
                raise ValueError(f"its {kind} accuracy is {accuracy:g}; expected: 0 to 1")
        if not 0 <= metrics.seconds < float("inf"):
            raise ValueError(f"its training time is {metrics.seconds:g} seconds")
        budget = EPOCHS.index(epochs)
        repeat = int(self._counts[row, budget])
        if repeat == REPEATS:
            raise ValueError(f"'{name}' already has {REPEATS} trainings of {epochs} epochs: one record too many")
        self._values[row, budget, repeat] = metrics.validation, metrics.test, metrics.seconds
        self._counts[row, budget] += 1

    def _row(self, name: str, adjacency: str, operations: str, parameters: int) -> int:
        """The architecture's row; a new row if the description matches the hash."""
        row = self._rows.get(name)
        if row is not None:
            if self._described[row] != (adjacency, operations) or self._parameters[row] != parameters:
                raise ValueError(f"it describes '{name}' differently from an earlier record")
            return row
        cell = parse_cell(adjacency, operations)
        if (computed := module_hash(cell)) != name:
            raise ValueError(f"it calls its cell '{name}', but the hash of that cell is '{computed}'")
        row = self._rows[name] = len(self._cells)
        # Many cells share few distinct texts; each text is stored once.
        shared = self._texts.setdefault
        self._described.append((shared(adjacency, adjacency), shared(operations, operations)))
        self._cells.append(cell)
        self._parameters.append(parameters)
        if row == len(self._counts):
            self._grow()
        return row

    def _grow(self) -> None:
        size = max(1024, len(self._counts))
        added = np.full((size, *self._values.shape[1:]), np.nan, dtype=np.float32)
        self._values = np.concatenate([self._values, added])
        self._counts = np.concatenate([self._counts, np.zeros((size, len(EPOCHS)), dtype=np.uint8)])

    def table(self, name: str) -> pd.DataFrame:
        """One row per architecture: cell, number of parameters, accuracies in percent and training times.

        Raises:
            DataError: if an architecture has fewer training runs than required.
        """
        import pandas as pd

        counts = self._counts[: len(self._cells)]
        budgets = [(place, epochs) for place, epochs in enumerate(EPOCHS) if counts[:, place].any()]
        self._check_complete(counts, budgets, name)
        columns: dict[str, object] = {
            "vertices": [cell.vertices for cell in self._cells],
            "adjacency_bits": [cell.adjacency for cell in self._cells],
            "ops": [cell.operations for cell in self._cells],
            "cifar10/params": self._parameters,
        }
        for place, epochs in budgets:
            values = self._values[: len(self._cells), place].astype(np.float64)
            for quantity, label in enumerate(_QUANTITIES[:2]):
                images = _images_right(values[:, :, quantity])
                columns[f"cifar10/{label}/{epochs}"] = _percent(images.sum(axis=1))
                for repeat in range(REPEATS):
                    percent = 100 * images[:, repeat] / _IMAGES_EVALUATED
                    columns[f"cifar10/{label}/{epochs}/repeat-{repeat + 1}"] = percent.astype(np.float32)
            columns[f"cifar10/seconds/{epochs}"] = values[:, :, 2].mean(axis=1).astype(np.float32)
        return pd.DataFrame(columns, index=pd.Index(list(self._rows), name="architecture"))

    def _check_complete(self, counts: NDArray[np.uint8], budgets: list[tuple[int, int]], name: str) -> None:
        if not budgets:
            raise DataError(f"{name} has no records")
        names = list(self._rows)
        for place, epochs in budgets:
            short = np.flatnonzero(counts[:, place] < REPEATS)
            if len(short):
                raise DataError(
                    f"{name}: '{names[short[0]]}' has {counts[short[0], place]} trainings of {epochs} epochs; "
                    f"expected: {REPEATS} ({len(short):,} of {len(names):,} architectures lack some): the file is "
                    "incomplete"
                )


def mean_percent(means: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Mean accuracies in percent of the whole numbers of images that they stand for; None if they stand for none.

    Public tables hold means of float32 accuracies. Of equally many correct images in three trainings, they have up to
    three values, which differ in the eighth decimal and would be ranked.

    Args:
        means: mean accuracies over the three trainings, from 0 to 1.
    """
    images = _images_right(means, REPEATS * _IMAGES_EVALUATED)
    return _percent(images) if (images == images.round()).all() else None


def _percent(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean accuracy of three trainings from the number of their correct images."""
    return 100 * (images / REPEATS) / _IMAGES_EVALUATED


def _images_right(accuracy: NDArray[np.float64], evaluated: int = _IMAGES_EVALUATED) -> NDArray[np.float64]:
    """The number of correct images of the 9,984 evaluated ones (39 batches of 256), rounded if close to an integer.

    The files store accuracies rounded to float32; without rounding, architectures with equally many correct images
    would differ in their means.
    """
    images = accuracy * evaluated
    whole = images.round()
    return np.where(np.abs(images - whole) < 1e-2, whole, images)
