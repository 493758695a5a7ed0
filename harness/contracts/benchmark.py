"""The benchmark contract: architectures, their networks, and their accuracies after training.

A benchmark is a class registered in the entry-point group ``harness.benchmarks``. It identifies its architectures by
their official identifiers (strings), builds each as a newly initialised network, and provides the ground truth.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness._utils.html import facts_html
from harness._utils.names import unknown_name
from harness.contracts.dialect import Dialect
from harness.contracts.ground_truth import Costs, GroundTruth
from harness.errors import HarnessError, UnknownNameError
from harness.seeds import derive_seed
from harness.tasks import Task

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from harness.contracts.proxy import Direction
    from harness.images import Images


class Benchmark(ABC):
    """A set of architectures with their networks and their true accuracies.

    A subclass sets the class attributes and implements the abstract methods. Networks are torch modules that map images
    of shape (batch, channels, height, width) to logits (batch, classes), or to the outputs that the task's objective
    needs. They offer ``forward_features``, which maps the same images to the feature map before global average pooling,
    or before the last convolution of a network that outputs images (Zen-Score is defined on it). They may offer
    ``forward_blocks``, which returns the outputs of stem and blocks in order (AZ-NAS is defined on them).

    Attributes:
        name: the registered name.
        title: one line for listings.
        citation: key of the paper in ``CITATIONS``.
        datasets: the data sets, the default first.
        truths: the (split, epochs) pairs with ground truth on every data set, the default first.
        subsets: each named set of architectures with its description, ``all`` first.
        aliases: other names that it is known by.
        libraries: packages that build its networks and draw their weights, whose versions a run notes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]]
    truths: ClassVar[tuple[tuple[str, int | str], ...]]
    subsets: ClassVar[dict[str, str]] = {"all": "every architecture"}
    aliases: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ()

    @property
    def contents(self) -> str | None:
        """A hash of the data that the architectures come from, such as a table; None if the code alone defines them.

        A run refuses to resume with other data.
        """
        return None

    @property
    def defined_by(self) -> Callable[..., object]:
        """The class or the function whose code defines the networks."""
        return type(self)

    @staticmethod
    def from_table(
        table: pd.DataFrame | Path | str,
        *,
        build: Callable[..., nn.Module],
        task: Task,
        accuracy: str | None = None,
        better: Direction | Mapping[str, Direction] | None = None,
        name: str | None = None,
        title: str | None = None,
    ) -> Benchmark:
        """A benchmark from a table of trained networks and a function that builds one of them.

        Every column of numbers is a ground truth: ``harness report RUN --truth COLUMN``. Architectures without a value
        are left out of what is compared with it, and counted.

        Args:
            table: one row per architecture, with a column ``architecture`` or ``arch``, or indexed by architecture; or
                the file of such a table, beside the file that defines ``build``.
            build: builds a newly initialised network in training mode, from its architecture, or from its architecture
                and its row, a dictionary by column.
            task: the shape of an image and the number of classes.
            accuracy: the column of the default ground truth; it may be omitted if there is only one of numbers.
            better: whether ``higher`` or ``lower`` values of it are better, or this for several columns; default:
                higher. It must be stated for a column that is named like a loss, an error or a cost.
            name: the name of the benchmark, which the seeds of the weights depend on; default: the stem of the file.
            title: one line for headings.

        Raises:
            DataError: if the table cannot be read, names no architectures, or one of them in rows that differ.
            HarnessError: if the column of the accuracy or its direction is not clear.
        """
        # By name, because it is built on this class, and reads tables.
        made: Benchmark = import_module("harness.data.table_benchmark").TableBenchmark(
            table, build=build, task=task, accuracy=accuracy, better=better, name=name, title=title
        )
        return made

    def __repr__(self) -> str:
        """Name, title, data sets, ground truths and sets."""
        truths, sets = (", ".join(facts) for facts in (self._truth_names(), self.subsets))
        return (
            f"<benchmark {self.name}: {self.title}; data sets {', '.join(self.datasets)}; ground truth {truths}; "
            f"sets {sets}>"
        )

    def _repr_html_(self) -> str:
        """The same as a small table, for a notebook."""
        facts = {
            "Data sets": ", ".join(self.datasets),
            "Ground truth": ", ".join(self._truth_names()),
            **{f"Set '{name}'": words for name, words in self.subsets.items()},
            "Other names": ", ".join(self.aliases),
        }
        return facts_html(f"{self.name}: {self.title}", facts)

    def _truth_names(self) -> list[str]:
        return [f"{split}/{epochs}" for split, epochs in self.truths]

    @abstractmethod
    def architectures(self) -> Sequence[str]:
        """The identifiers of all architectures, in an order that never changes."""

    @abstractmethod
    def task(self, dataset: str) -> Task:
        """Image shape, number of classes and objective of one data set."""

    @abstractmethod
    def build(self, architecture: str, dataset: str) -> nn.Module:
        """A newly initialised network in training mode, drawn from torch's global random state."""

    @abstractmethod
    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """The true accuracies; the default split and epochs are the first of :meth:`truths_of` the data set."""

    def truths_of(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """The (split, epochs) pairs with ground truth on one data set, the default first."""
        self.check_dataset(dataset)
        return self.truths

    def further_truths(self, dataset: str) -> Sequence[tuple[str, int | str]]:
        """The (split, epochs) pairs with ground truth of another kind, such as accuracies under attack.

        They are ranked against where they are asked for by name; they are never the default, and other accuracies are
        not compared with them.
        """
        self.check_dataset(dataset)
        return ()

    def knows_truth(self, dataset: str, split: str, epochs: int | str) -> bool:
        """Whether the benchmark has this ground truth, of either kind."""
        return (split, epochs) in (*self.truths_of(dataset), *self.further_truths(dataset))

    def default_truth(self, dataset: str, subset: str = "all") -> tuple[str, int | str]:
        """The ground truth of a run of a named set where the user names none; default: the first of :meth:`truths_of`.

        A benchmark whose sets have ground truths of their own returns the set's.

        Raises:
            HarnessError: if the accuracies of the set's networks cannot be compared; the message says what to choose.
        """
        return self.truths_of(dataset)[0]

    def costs(self, dataset: str) -> Costs | None:
        """Latencies or energies of the networks on devices, or None if none are known.

        Raises:
            DataError: if they have to be imported first.
        """
        self.check_dataset(dataset)
        return None

    def trainings(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> pd.DataFrame | None:
        """The accuracy of every single training run behind a ground truth, or None if only their combination is known.

        One row per architecture and one column per training run; the runs differ only in the seed.
        """
        self.choose_truth(dataset, split, epochs)
        return None

    def images(self, dataset: str) -> Images | None:
        """Images that come with the benchmark, or None if the user must provide them."""
        self.check_dataset(dataset)
        return None

    def read_images(self, source: Path, task: Task, seed: int) -> Images | None:
        """Images of the benchmark's data set in a format that only it can read, or None for any other source.

        Args:
            source: the file or folder that the user gave.
            task: a task of the benchmark, possibly at another resolution.
            seed: for random choices.
        """
        return None

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate: whether an architecture belongs to the named set."""
        self.check_subset(subset)
        return lambda architecture: True

    def canonical_form(self, architecture: str) -> str:
        """A text that is equal for architectures that are the same network, such as isomorphic cells."""
        return architecture

    def representatives(self, architectures: Sequence[str]) -> dict[str, str]:
        """For each of these architectures, the benchmark's first architecture with the same canonical form.

        Raises:
            HarnessError: if the benchmark does not define canonical forms.
        """
        if type(self).canonical_form is Benchmark.canonical_form:
            raise HarnessError(f"{self.name} does not group equivalent architectures; omit --once-per-class")
        forms = {architecture: self.canonical_form(architecture) for architecture in architectures}
        wanted, first = set(forms.values()), dict[str, str]()
        for architecture in self.architectures():
            if len(first) == len(wanted):
                break
            form = self.canonical_form(architecture)
            if form in wanted:
                first.setdefault(form, architecture)
        return {architecture: first[form] for architecture, form in forms.items()}

    def dialects(self) -> Sequence[Dialect]:
        """Other ways in which tables write the architectures; each is tried where identifiers are not official."""
        return ()

    def size_key(self, architecture: str) -> str:
        """A text that is equal only for architectures with the same numbers of parameters and of operations."""
        return architecture

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts that describe an architecture, by name; empty if the benchmark declares none.

        The names appear in tables and figures, and are the same, in the same order, for every architecture. The network
        is not built.
        """
        return {}

    def subset(self, subset: str = "all") -> list[str]:
        """The architectures of a named set, in the benchmark's order."""
        belongs = self.membership(subset)
        return [architecture for architecture in self.architectures() if belongs(architecture)]

    def sample(self, size: int, seed: int, subset: str = "all") -> list[str]:
        """Architectures drawn uniformly without replacement from a named set.

        The sample of size n is the beginning of the sample of size m > n with the same seed, so a run can be extended
        later without losing results.

        Raises:
            HarnessError: if the size is less than one or greater than the set's.
        """
        members = self.subset(subset)
        if not 1 <= size <= len(members):
            raise HarnessError(
                f"cannot draw a sample of {size}: {self.name} has {len(members)} architectures in the set "
                f"'{subset}'; choose 1 to {len(members)}"
            )
        order = np.random.default_rng(derive_seed("sample", self.name, subset, seed)).permutation(len(members))
        return [members[i] for i in order[:size]]

    def check_dataset(self, dataset: str) -> None:
        """Raise UnknownNameError for a data set that the benchmark does not have."""
        if dataset not in self.datasets:
            raise UnknownNameError(
                unknown_name(f"dataset of {self.name}", dataset, self.datasets, "harness list benchmarks")
            )

    def check_subset(self, subset: str) -> None:
        """Raise UnknownNameError for a set of architectures that the benchmark does not define."""
        if subset not in self.subsets:
            raise UnknownNameError(unknown_name(f"set of {self.name}", subset, self.subsets))

    def choose_truth(self, dataset: str, split: str | None, epochs: int | str | None) -> tuple[str, int | str]:
        """The first of :meth:`truths_of` and :meth:`further_truths` that matches the requested split and epochs.

        Raises:
            UnknownNameError: if there is none; the message lists the available ones.
        """
        truths = [*self.truths_of(dataset), *self.further_truths(dataset)]
        for offered_split, offered_epochs in truths:
            if split in (None, offered_split) and epochs in (None, offered_epochs):
                return offered_split, offered_epochs
        wanted = "/".join(str(part) for part in (split, epochs) if part is not None)
        offered = [f"{a}/{b}" for a, b in truths]
        raise UnknownNameError(unknown_name(f"ground truth of {self.name}", wanted, offered, "harness list benchmarks"))
