"""Common parts of NATS-Bench's two search spaces: data sets, and accuracies from the local table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.data import Truth
from harness.data.local_tables import table_ground_truth
from harness.tasks import Task

TASKS = {
    "cifar10": Task("cifar10", (3, 32, 32), 10),
    "cifar100": Task("cifar100", (3, 32, 32), 100),
    "ImageNet16-120": Task("ImageNet16-120", (3, 16, 16), 120),
}
_HALF = "; of other networks (cifar10-valid), trained on 25,000 images instead of 50,000"


class NatsBenchmark(Benchmark):
    """A search space of NATS-Bench; its ground truth is read from the local table.

    Attributes:
        obtain: what the file to import is and where to get it, in a few words.
    """

    citation = "dong2021nats"
    datasets = tuple(TASKS)
    obtain: ClassVar[str]

    def task(self, dataset: str) -> Task:
        """Images of 3×32×32 in 10 or 100 classes, or of 3×16×16 in 120."""
        self.check_dataset(dataset)
        return TASKS[dataset]

    def seeds(self, epochs: int | str) -> str:
        """How training runs of one architecture are combined, for a length of training."""
        return "mean over seeds"

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Accuracies from the local table.

        ``x-valid`` and ``val`` of cifar10 belong to other networks than ``test``: those trained on half the images.

        Raises:
            DataError: if no table was imported, or it lacks the column.
        """
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        return table_ground_truth(self.name, dataset, split, epochs, seeds=self.seeds(epochs), obtain=self.obtain)


def table_columns(truths: Mapping[tuple[str, int], str]) -> dict[str, Truth]:
    """Each column ``dataset/split/epochs`` with its description, from the description of each (split, epochs)."""
    return {
        f"{dataset}/{split}/{epochs}": Truth(
            what + (_HALF if dataset == "cifar10" and split != "test" else ""), chance=100 / task.classes
        )
        for (split, epochs), what in truths.items()
        for dataset, task in TASKS.items()
    }
