"""Known facts about a benchmark's networks: true accuracies, and costs on devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness._utils.html import facts_html
from harness._utils.names import listed

if TYPE_CHECKING:
    import pandas as pd

GIVEN = "given"
"""In place of epochs, for values that come from the user and not from the benchmark."""


@dataclass(frozen=True)
class GroundTruth:
    """The accuracies of the benchmark's trained networks, with an exact description of which accuracies they are.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set trained and evaluated on.
        split: the images that the accuracy was measured on, such as ``test`` or ``x-valid``.
        epochs: the length of the training in epochs, or the epoch that the accuracy is from, such as ``final``.
        seeds: how training runs of one architecture are combined, such as ``mean over seeds``.
        metric: the measured quantity with its unit, such as ``top-1 accuracy (%)``.
        higher_is_better: the direction of the metric.
        source: where the numbers come from.
        accuracy: one value per architecture, indexed by its identifier.
        partial: whether networks may lack a value; they are then left out of every analysis, and counted. Otherwise a
            scored network without an accuracy is an error.
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
    partial: bool = False

    def __repr__(self) -> str:
        """Description and number of architectures."""
        return f"<ground truth of {self.benchmark}: {self.describe()}; {len(self.accuracy):,} architectures>"

    def _repr_html_(self) -> str:
        """The same with its source, for a notebook."""
        facts = {"Accuracies": self.describe(), "Source": self.source, "Architectures": f"{len(self.accuracy):,}"}
        return facts_html(f"Ground truth of {self.benchmark}", facts)

    @property
    def oriented(self) -> pd.Series[float]:
        """The accuracies with their sign turned where lower is better, so that higher is better."""
        return self.accuracy if self.higher_is_better else -self.accuracy

    def describe(self) -> str:
        """One line for table headings: ``cifar10 test top-1 accuracy (%), 200 epochs, mean over seeds``."""
        return f"{self.dataset} {self.split} {self.metric}, {self.when}, {self.seeds}"

    @property
    def name(self) -> str:
        """How it is chosen and listed: ``test/200``."""
        return f"{self.split}/{self.epochs}"

    @property
    def axis(self) -> str:
        """The label of an axis: ``test top-1 accuracy (%), 200 epochs``."""
        return f"{self.split} {self.metric}, {self.when}"

    @property
    def row(self) -> str:
        """The label of its row where it is ranked like a proxy; it shows that training is behind it."""
        return f"{self.split}, {self.when} (trained)"

    @property
    def when(self) -> str:
        """The length of the training, or the epoch, in words: ``200 epochs``, ``1 epoch``, ``final epoch``."""
        return f"{self.epochs} epoch" if self.epochs == 1 or isinstance(self.epochs, str) else f"{self.epochs} epochs"


@dataclass(frozen=True)
class Costs:
    """Costs of a benchmark's networks on devices, such as latency or energy.

    Attributes:
        source: where the numbers come from.
        meanings: each column's meaning with its unit, such as ``Edge GPU latency (ms)``.
        values: one row per architecture, indexed by its identifier; lower is better, NaN if unknown.
        sources: where single columns come from, for those that are not from ``source``.
    """

    source: str
    meanings: Mapping[str, str]
    values: pd.DataFrame
    sources: Mapping[str, str] = field(default_factory=dict)

    def source_of(self, column: str) -> str:
        """Where a column comes from."""
        return self.sources.get(column, self.source)

    def __repr__(self) -> str:
        """Columns and number of architectures."""
        return f"<costs of {len(self.values):,} architectures: {listed(self.meanings.values())}>"

    def _repr_html_(self) -> str:
        """The same with its source, for a notebook."""
        sources = ", ".join(dict.fromkeys([self.source, *self.sources.values()]))
        facts = {**self.meanings, "Source": sources, "Architectures": f"{len(self.values):,}"}
        return facts_html("Costs", facts)
