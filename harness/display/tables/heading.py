"""The facts that give a rank correlation its meaning, shown above every table and figure."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.display.tables.numbers import counted

ONCE_PER_CLASS = "of architectures that are the same network only one is scored, except by proxies that need no images"


class Entry(NamedTuple):
    """One fact.

    Attributes:
        name: its name; may be empty.
        text: the fact.
        noise: whether it says that the inputs are noise, which every page and terminal must make conspicuous.
    """

    name: str
    text: str
    noise: bool = False


class AnyHeading(ABC):
    """The facts behind numbers."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """The facts in order."""

    def lines(self) -> list[str]:
        """One line of plain text per fact."""
        return [f"{name}: {text}" if name else text for name, text, _ in self.entries()]


@dataclass(frozen=True)
class Heading(AnyHeading):
    r"""What was ranked against what; shown above every table, so that no coefficient is without context.

    Attributes:
        benchmark: the benchmark's title.
        dataset: the data set that the networks are built for.
        networks: the number of sampled architectures.
        subset: the architecture set they were drawn from.
        seed: the seed of the sample.
        ground_truth: the accuracies, as described by :meth:`harness.contracts.ground_truth.GroundTruth.describe`.
        images: the source of the images in the batch.
        batch_size: the number of images in the batch.
        noise: whether the batch is noise with random labels instead of images.
        once_per_class: whether networks with the same canonical form were scored only once.
        facts: further lines, such as the seed of the weights and the version of torch.
        doubts: which rankings depend on the images, the resolution or the seed; also shown where several runs are.
        sets: the description of each architecture set.
        origin: the table that the scores were read from, in words; empty if they were computed here.
        searched: the search that chose the networks, in words; empty if they are a sample.

    >>> heading = Heading("NATS-TSS", "cifar10", 1000, "all", 0, "cifar10 test accuracy", "CIFAR-10", 64)
    >>> print("\n".join(heading.lines()))
    Benchmark: NATS-TSS, cifar10
    Sample: 1,000 architectures drawn uniformly from the set 'all', seed 0
    Ground truth: cifar10 test accuracy
    Inputs: mini-batches of 64 from CIFAR-10
    """

    benchmark: str
    dataset: str
    networks: int
    subset: str
    seed: int
    ground_truth: str
    images: str
    batch_size: int
    noise: bool = False
    once_per_class: bool = False
    facts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    searched: str = ""

    @property
    def place(self) -> str:
        """The benchmark and the data set, if there is one."""
        return f"{self.benchmark}, {self.dataset}" if self.dataset else self.benchmark

    def inputs(self) -> str:
        """A description of the batch, noise in capitals; or of the table that the scores were read from."""
        if self.origin:
            return self.origin
        if self.noise:
            return f"NOISE, NO REAL IMAGES: mini-batches of {self.batch_size} from {self.images}"
        return f"mini-batches of {self.batch_size} from {self.images}"

    def entries(self) -> list[Entry]:
        """The facts in order; further ones have an empty name."""
        networks = counted(self.networks, "architecture")
        if self.origin:
            return [
                Entry("Benchmark" if self.dataset else "Table", self.place),
                Entry("Networks", f"{networks}, those of the table"),
                Entry("Ground truth", self.ground_truth),
                Entry("Scores", self.origin),
                *(Entry("", fact) for fact in (*self.facts, *self.doubts)),
            ]
        sample = f"{networks} drawn uniformly from the set '{self.subset}', seed {self.seed}"
        if self.once_per_class:
            sample += f"; {ONCE_PER_CLASS}"
        found = f"{networks} of {self.searched}: no sample of the space, so nothing here holds for the space"
        return [
            Entry("Benchmark", self.place),
            Entry("Networks", found) if self.searched else Entry("Sample", sample),
            Entry("Ground truth", self.ground_truth),
            Entry("Inputs", self.inputs(), self.noise),
            *(Entry("", fact) for fact in (*self.facts, *self.doubts)),
        ]

    def title(self, networks: int, width: int = 200) -> str:
        """The title of a figure: the benchmark, the number of networks, and whether the inputs are noise.

        Args:
            networks: the number of networks in the figure.
            width: the maximum number of characters per line.
        """
        name = self.place
        facts = f"n = {networks:,}" + (", NOISE INPUTS" if self.noise else "")
        line = f"{name}, {facts}"
        return line if len(line) <= width else f"{textwrap.fill(name, width)}\n{facts}"


@dataclass(frozen=True)
class Headings(AnyHeading):
    r"""The facts of several runs that one table or figure shows together.

    Attributes:
        of: what was ranked against what in each run, by the run's name.

    >>> heading = Heading("NATS-TSS", "cifar10", 1000, "all", 0, "cifar10 test accuracy", "CIFAR-10", 64)
    >>> print("\n".join(Headings({"tss": heading}).lines()))
    tss: 1,000 architectures, seed 0; cifar10 test accuracy; mini-batches of 64 from CIFAR-10
    """

    of: Mapping[str, Heading]

    def entries(self) -> list[Entry]:
        """One entry per run."""
        return [
            Entry(
                name,
                "; ".join((_sample(heading), heading.ground_truth, heading.inputs(), *heading.doubts)),
                heading.noise,
            )
            for name, heading in self.of.items()
        ]


@dataclass(frozen=True)
class Facts(AnyHeading):
    """Other facts behind numbers, such as those of a paper, or of accuracies without proxies.

    Attributes:
        of: pairs of a name and its text; the name may be empty.
    """

    of: tuple[tuple[str, str], ...]

    def entries(self) -> list[Entry]:
        """One entry per pair."""
        return [Entry(*pair) for pair in self.of]


def _sample(heading: Heading) -> str:
    if heading.searched:
        return f"{counted(heading.networks, 'architecture')} of {heading.searched}"
    of = "" if heading.subset == "all" else f" of the set '{heading.subset}'"
    if heading.origin:
        return counted(heading.networks, "architecture")
    once = f", {ONCE_PER_CLASS}" if heading.once_per_class else ""
    return f"{counted(heading.networks, 'architecture')}{of}, seed {heading.seed}{once}"
