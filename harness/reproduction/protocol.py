"""A protocol and its parts: what a paper did, as far as this harness can reproduce it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness._utils.names import unknown_name
from harness.errors import UnknownNameError

DATASET_IMAGES = "data set"
NOISE_IMAGES = "noise"
KINDS = ("correlation", "search", "architecture-search", "unavailable")


@dataclass(frozen=True)
class Part:
    """One ranking of a paper: a set of networks of one benchmark on one data set, and the proxies that rank them.

    Attributes:
        name: unique within the protocol; also the name of the run's directory.
        kind: ``correlation``: proxies are compared by rank correlation. ``search``: the accuracy of a proxy's choice
            among randomly drawn networks. ``architecture-search``: the score that a search with each proxy reaches,
            beside that of the benchmark's listed networks. ``unavailable``: it cannot be done here; ``reason`` says
            why.
        benchmark: the benchmark's name.
        dataset: the data set.
        subset: the benchmark's architecture set that the paper ranked.
        truth: the ground truth used here, as ``SPLIT/EPOCHS``.
        paper_truth: the ground truth that the paper names, if it differs.
        truth_dataset: the data set of the ground truth, if it is not that of the scores.
        proxies: names of proxies and rank aggregates.
        batch_size: images per mini-batch in the paper.
        architectures: the number of networks that the paper ranked; None if it does not say.
        images: the contents of the paper's mini-batch: images of the data set, or noise.
        initialisation: how the paper draws weights.
        seeds: the number of repetitions over which the paper averages its coefficients.
        coefficients: the coefficients to compare, ``kendall`` and ``spearman``.
        sizes: for a search, the numbers of networks to draw.
        algorithm: for an architecture search, one of :data:`harness.searching.ALGORITHMS`.
        budgets: what a network may have at most, such as ``params=1e6``.
        evaluations: the number of networks that a search scores.
        searches: the number of searches with each proxy, with different seeds.
        population: the number of networks that evolution keeps.
        published: tables of published numbers, by their names in ``results/published``.
        mismatches: what the paper did that is not done here, one sentence each.
        remarks: a sentence for each proxy for which something else differs.
        run_of: the part whose run is ranked again, if this part uses the same networks.
        reason: why an unavailable part is unavailable.
    """

    name: str
    kind: str = "correlation"
    benchmark: str = ""
    dataset: str = ""
    subset: str = "all"
    truth: str = ""
    paper_truth: str = ""
    truth_dataset: str = ""
    proxies: tuple[str, ...] = ()
    batch_size: int = 64
    architectures: int | None = None
    images: str = DATASET_IMAGES
    initialisation: str = "PyTorch default"
    seeds: int = 1
    coefficients: tuple[str, ...] = ("kendall", "spearman")
    sizes: tuple[int, ...] = ()
    algorithm: str = "evolution"
    budgets: tuple[str, ...] = ()
    evaluations: int = 0
    searches: int = 1
    population: int = 512
    published: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)
    run_of: str = ""
    reason: str = ""

    @property
    def place(self) -> str:
        """Benchmark and data set, and the set and the data set of the accuracies where they are not the usual ones.

        >>> Part("one", benchmark="nats-tss", dataset="cifar10", subset="reachable").place
        'nats-tss cifar10 (reachable)'
        """
        subset = "" if self.subset == "all" else f" ({self.subset})"
        accuracies = f", accuracies on {self.truth_dataset}" if self.truth_dataset else ""
        return f"{self.benchmark} {self.dataset}".strip() + subset + accuracies


@dataclass(frozen=True)
class Protocol:
    """The declaration of a paper's comparison.

    Attributes:
        name: its name for ``harness reproduce``.
        title: the paper's title.
        citation: the paper's key in ``CITATIONS``.
        summary: what the paper does, in one or two sentences.
        mismatches: what the paper did in all parts that is not done here, one sentence each.
        figures: the figures to draw: ``beside_published``, ``kendall_by_proxy`` and ``accuracy_by_score``.
        parts: the rankings.
        file: the file it was read from.
    """

    name: str
    title: str
    citation: str
    summary: str
    mismatches: tuple[str, ...]
    figures: tuple[str, ...]
    parts: tuple[Part, ...]
    file: Path

    def part(self, name: str) -> Part:
        """The part with this name.

        Raises:
            UnknownNameError: if there is none; the message suggests similar names.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise UnknownNameError(unknown_name(f"part of the protocol {self.name}", name, [p.name for p in self.parts]))
