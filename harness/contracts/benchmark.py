"""What a benchmark must offer: architectures, networks, and the accuracies they reached when trained.

A benchmark is registered by a class in the entry-point group ``harness.benchmarks``. It knows its architectures by
their official identifier (a string), builds each as a freshly initialised network, and holds the ground truth.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness._utils.names import unknown_name
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.errors import HarnessError, UnknownNameError
from harness.seeds import derive_seed
from harness.tasks import Task

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from harness.images import Images


class Benchmark(ABC):
    """A set of architectures with their networks and their true accuracies.

    A subclass states the class attributes and implements the abstract methods. Networks are torch modules that map
    images of shape (batch, channels, height, width) to logits (batch, classes), or to what the task's objective asks
    for, and that offer ``forward_features``, which maps the same images to the feature map before global average
    pooling, or before the last convolution of a network that paints (Zen-Score is defined on it). They may offer
    ``forward_blocks``, which gives the outputs of stem and blocks in their order (AZ-NAS is defined on them).

    Attributes:
        name: the registered name.
        title: one line for listings.
        citation: key of the paper in ``CITATIONS``.
        datasets: the data sets, the default first.
        truths: the (split, epochs) pairs that ground truth exists for on every data set, the default first.
        subsets: each named set of architectures with its description; ``all`` comes first.
        aliases: other names that it is known by elsewhere.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]]
    truths: ClassVar[tuple[tuple[str, int | str], ...]]
    subsets: ClassVar[dict[str, str]] = {"all": "every architecture"}
    aliases: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        """Its name, data sets, ground truths and sets."""
        truths = ", ".join(f"{split}/{epochs}" for split, epochs in self.truths)
        return (
            f"<benchmark {self.name}: {self.title}; data sets {', '.join(self.datasets)}; ground truth {truths}; "
            f"sets {', '.join(self.subsets)}>"
        )

    @abstractmethod
    def architectures(self) -> Sequence[str]:
        """Every architecture's identifier, in an order that never changes."""

    @abstractmethod
    def task(self, dataset: str) -> Task:
        """Image shape, number of classes and objective for one data set."""

    @abstractmethod
    def build(self, architecture: str, dataset: str) -> nn.Module:
        """A freshly initialised network, in training mode, drawn from torch's global random state."""

    @abstractmethod
    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The true accuracies; the default split and epochs are the first of :meth:`truths_of` the data set."""

    def truths_of(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """The (split, epochs) pairs that ground truth exists for on one data set, the default first."""
        self.check_dataset(dataset)
        return self.truths

    def costs(self, dataset: str) -> Costs | None:
        """Latencies or energies of the networks on devices, or None where none are known.

        Raises:
            DataError: if they have to be imported first.
        """
        self.check_dataset(dataset)
        return None

    def trainings(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> pd.DataFrame | None:
        """The accuracy of every single training behind a ground truth, or None where only that is known.

        One row for each architecture, one column for each of its trainings, which differ in nothing but the seed.
        """
        self.choose_truth(dataset, split, epochs)
        return None

    def images(self, dataset: str) -> Images | None:
        """Images that come with the benchmark, or None where the user must give them."""
        self.check_dataset(dataset)
        return None

    def read_images(self, source: Path, task: Task, seed: int) -> Images | None:
        """Images of the benchmark's own data set in a form that only it can read, or None for any other source.

        Args:
            source: the file or folder that the user gave.
            task: one of the benchmark's, perhaps at another resolution.
            seed: for whatever is drawn.
        """
        return None

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate that tells whether an architecture belongs to the named set."""
        self.check_subset(subset)
        return lambda architecture: True

    def canonical_form(self, architecture: str) -> str:
        """The same text for architectures that are the same network, such as isomorphic cells."""
        return architecture

    def representatives(self, architectures: Sequence[str]) -> dict[str, str]:
        """For each of these the first architecture of the benchmark that has its canonical form.

        Raises:
            HarnessError: if the benchmark tells no two architectures to be one network.
        """
        if type(self).canonical_form is Benchmark.canonical_form:
            raise HarnessError(
                f"{self.name} has no two architectures that are one network; leave --once-per-class away"
            )
        forms = {architecture: self.canonical_form(architecture) for architecture in architectures}
        wanted, first = set(forms.values()), dict[str, str]()
        for architecture in self.architectures():
            if len(first) == len(wanted):
                break
            form = self.canonical_form(architecture)
            if form in wanted:
                first.setdefault(form, architecture)
        return {architecture: first[form] for architecture, form in forms.items()}

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts that describe an architecture, by what they count; empty where a benchmark declares none.

        The names are read in tables and figures, and are the same, in the same order, for every architecture. They are
        known without building the network.
        """
        return {}

    def subset(self, subset: str = "all") -> list[str]:
        """The architectures of a named set, in the benchmark's order."""
        belongs = self.membership(subset)
        return [architecture for architecture in self.architectures() if belongs(architecture)]

    def sample(self, size: int, seed: int, subset: str = "all") -> list[str]:
        """Architectures drawn uniformly without replacement from a named set.

        The sample of size n is the beginning of the sample of size m > n with the same seed, so that a run can be
        made larger later without losing what it has.

        Raises:
            HarnessError: if more architectures are asked for than the set has, or fewer than one.
        """
        members = self.subset(subset)
        if not 1 <= size <= len(members):
            raise HarnessError(
                f"a sample of {size} was asked for, but {self.name} has {len(members)} architectures in the set "
                f"'{subset}'; ask for 1 to {len(members)}"
            )
        order = np.random.default_rng(derive_seed("sample", self.name, subset, seed)).permutation(len(members))
        return [members[i] for i in order[:size]]

    def check_dataset(self, dataset: str) -> None:
        """Refuse a data set that the benchmark does not have."""
        if dataset not in self.datasets:
            raise UnknownNameError(
                unknown_name(f"dataset of {self.name}", dataset, self.datasets, "harness list benchmarks")
            )

    def check_subset(self, subset: str) -> None:
        """Refuse a set of architectures that the benchmark does not define."""
        if subset not in self.subsets:
            raise UnknownNameError(unknown_name(f"set of {self.name}", subset, self.subsets))

    def choose_truth(self, dataset: str, split: str | None, epochs: int | str | None) -> tuple[str, int | str]:
        """The first of :meth:`truths_of` the data set that fits the wanted split and epochs.

        Raises:
            UnknownNameError: if there is none; the message lists what there is.
        """
        truths = self.truths_of(dataset)
        for offered_split, offered_epochs in truths:
            if split in (None, offered_split) and epochs in (None, offered_epochs):
                return offered_split, offered_epochs
        wanted = "/".join(str(part) for part in (split, epochs) if part is not None)
        offered = [f"{a}/{b}" for a, b in truths]
        raise UnknownNameError(unknown_name(f"ground truth of {self.name}", wanted, offered, "harness list benchmarks"))
