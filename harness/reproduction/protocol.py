"""What a paper did, as far as this harness can do it again: a protocol and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness._utils.names import unknown_name
from harness.errors import UnknownNameError

DATASET_IMAGES = "data set"
NOISE_IMAGES = "noise"
KINDS = ("correlation", "search", "unavailable")


@dataclass(frozen=True)
class Part:
    """One ranking of a paper: a set of networks of one benchmark on one data set, and who ranked them.

    Attributes:
        name: unique within the protocol; the run's folder is called so.
        kind: ``correlation``: proxies are compared by rank correlation. ``search``: the accuracy of a proxy's choice
            among networks drawn at random. ``unavailable``: it cannot be done here, and ``reason`` says why.
        benchmark: the benchmark's name.
        dataset: the data set.
        subset: the set of networks that the paper ranked, one of the benchmark's.
        truth: the ground truth that is ranked against here, as ``SPLIT/EPOCHS``.
        paper_truth: the ground truth that the paper names, where that is another one.
        proxies: names of proxies and rank aggregates.
        batch_size: images in the paper's mini-batch.
        architectures: how many networks the paper ranked; None where it does not say.
        images: what the paper's mini-batch holds: images of the data set, or noise.
        initialisation: how the paper draws weights.
        seeds: over how many repetitions the paper averages its coefficients.
        coefficients: those that are compared, ``kendall`` and ``spearman``.
        sizes: for a search, how many networks are drawn.
        published: tables of published numbers, by their names in ``results/published``.
        mismatches: what the paper did that is not done here, a sentence each.
        remarks: by the name of a proxy, a sentence on what differs for it alone.
        run_of: the part whose run is ranked again, where this one is about the same networks.
        reason: why an unavailable part is so.
    """

    name: str
    kind: str = "correlation"
    benchmark: str = ""
    dataset: str = ""
    subset: str = "all"
    truth: str = ""
    paper_truth: str = ""
    proxies: tuple[str, ...] = ()
    batch_size: int = 64
    architectures: int | None = None
    images: str = DATASET_IMAGES
    initialisation: str = "PyTorch default"
    seeds: int = 1
    coefficients: tuple[str, ...] = ("kendall", "spearman")
    sizes: tuple[int, ...] = ()
    published: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)
    run_of: str = ""
    reason: str = ""

    @property
    def place(self) -> str:
        """Benchmark, data set and, where it is not the whole, the set: ``nats-tss cifar10 (reachable)``."""
        where = f"{self.benchmark} {self.dataset}".strip()
        return where if self.subset == "all" else f"{where} ({self.subset})"


@dataclass(frozen=True)
class Protocol:
    """A paper's comparison, declared.

    Attributes:
        name: what ``harness reproduce`` calls it.
        title: the paper's title.
        citation: key of the paper in ``CITATIONS``.
        summary: what the paper does, in a sentence or two.
        mismatches: what the paper did in all parts that is not done here, a sentence each.
        figures: figures to draw, of ``beside_published``, ``kendall_by_proxy`` and ``accuracy_by_score``.
        parts: the rankings.
        file: where it was read from.
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
        """The part of that name.

        Raises:
            UnknownNameError: if there is none; the message suggests near names.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise UnknownNameError(unknown_name(f"part of the protocol {self.name}", name, [p.name for p in self.parts]))
