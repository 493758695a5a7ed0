"""What is known of a benchmark's networks: true accuracies, and costs on devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class GroundTruth:
    """The accuracies that the benchmark's trained networks reached, and exactly which accuracies they are.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set trained and evaluated on.
        split: the images the accuracy was measured on, such as ``test`` or ``x-valid``.
        epochs: the length of the training in epochs, or which epoch's accuracy it is, such as ``final``.
        seeds: how trainings of one architecture are combined, such as ``mean over seeds``.
        metric: what is measured, with its unit, such as ``top-1 accuracy (%)``.
        higher_is_better: the direction of the metric.
        source: where the numbers come from.
        accuracy: one value for each architecture, indexed by its identifier.
    """

    benchmark: str
    dataset: str
    split: str
    epochs: int | str
    seeds: str
    metric: str
    higher_is_better: bool
    source: str
    accuracy: pd.Series[float]

    def __repr__(self) -> str:
        """What it is, and of how many architectures."""
        return f"<ground truth of {self.benchmark}: {self.describe()}; {len(self.accuracy):,} architectures>"

    @property
    def oriented(self) -> pd.Series[float]:
        """The accuracies with their sign turned where lower is better, so that higher is better."""
        return self.accuracy if self.higher_is_better else -self.accuracy

    def describe(self) -> str:
        """One line for the head of a table: ``cifar10 test top-1 accuracy (%), 200 epochs, mean over seeds``."""
        return f"{self.dataset} {self.split} {self.metric}, {self.when}, {self.seeds}"

    @property
    def when(self) -> str:
        """The length of the training, or which epoch, in words: ``200 epochs``, ``1 epoch``, ``final epoch``."""
        return f"{self.epochs} epoch" if self.epochs == 1 or isinstance(self.epochs, str) else f"{self.epochs} epochs"


@dataclass(frozen=True)
class Costs:
    """What the networks of a benchmark cost where they run.

    Attributes:
        source: where the numbers come from.
        meanings: each column with what it is and its unit, such as ``Edge GPU latency (ms)``.
        values: one row for each architecture, indexed by its identifier; the lower the better, NaN where unknown.
    """

    source: str
    meanings: Mapping[str, str]
    values: pd.DataFrame

    def __repr__(self) -> str:
        """What it holds, and of how many architectures."""
        return f"<costs of {len(self.values):,} architectures: {', '.join(self.meanings.values())}>"
