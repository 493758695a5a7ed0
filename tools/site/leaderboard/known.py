"""What the installed packages declare about proxies and benchmarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness._utils.citations import citation
from harness.contracts import Benchmark
from harness.proxies._measured_costs import cost_in_words
from harness.registry import aggregates, benchmark_classes, proxy_facts

NEEDS: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "noise": ("noise",),
    "images": ("real images",),
    "labels": ("labels", "real images"),
}
"""What a proxy needs besides the network, in the words of the entries, by what it declares to look at."""

SECTION = re.compile(r"^## (\S+)\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}(?:v\d+)?)")


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        words: authors, title, venue and year.
        address: where it is; empty if unknown.
    """

    words: str
    address: str


@dataclass(frozen=True)
class Known:
    """A registered proxy or aggregate.

    Attributes:
        name: its name.
        label: its name in tables.
        summary: one line.
        needs: what it needs besides the network.
        facts: its declared facts, by what they are.
        paper: its paper.
        definition: its description with its formula, in Markdown; empty if it is not in ``docs/proxies.md``.
    """

    name: str
    label: str
    summary: str
    needs: tuple[str, ...]
    facts: Mapping[str, str]
    paper: Paper
    definition: str = field(repr=False)


@dataclass(frozen=True)
class KnownBenchmark:
    """A registered benchmark.

    Attributes:
        name: its name.
        title: one line.
        facts: what it has, by what it is.
        paper: its paper.
    """

    name: str
    title: str
    facts: Mapping[str, tuple[str, ...]]
    paper: Paper


def known_proxies(document: Path) -> dict[str, Known]:
    """Every registered proxy and aggregate by name, with its section of the document that describes them."""
    sections = dict(SECTION.findall(document.read_text(encoding="utf-8"))) if document.is_file() else {}
    found = {}
    for name, proxy in proxy_facts().items():
        facts = {
            "Better": f"{proxy.better} scores",
            "Cost": _cost(cost_in_words(name)),
            "Mini-batches": str(proxy.batches),
            "Derived from": ", ".join(proxy.axes),
            "Chosen with accuracies": proxy.supervised or "",
            "Variant of": proxy.variant_of or "",
            "Also called": ", ".join(proxy.aliases),
            "Follows": proxy.source,
            "Version": str(proxy.version),
        }
        found[name] = _known(name, proxy.label, proxy.summary, NEEDS[proxy.data], facts, proxy.cite, sections)
    for name, pooled in aggregates().items():
        needs = _united([found[part].needs for part in pooled.parts if part in found])
        facts = {
            "Better": f"{pooled.better} scores",
            "Rank aggregate of": ", ".join(pooled.parts),
            "Chosen with accuracies": pooled.supervised or "",
            "Also called": ", ".join(pooled.aliases),
            "Follows": pooled.source,
        }
        found[name] = _known(name, pooled.label, pooled.summary, needs, facts, pooled.cite, sections)
    return found


def _known(
    name: str,
    label: str,
    summary: str,
    needs: tuple[str, ...],
    facts: Mapping[str, str],
    cite: str,
    sections: Mapping[str, str],
) -> Known:
    stated = {"Needs": in_words(needs)} | {fact: text for fact, text in facts.items() if text}
    return Known(name, label, summary, needs, stated, paper(cite), sections.get(name, "").strip())


def needs_of(tags: Sequence[str]) -> tuple[str, ...]:
    """What a proxy needs by the tags of an entry.

    >>> needs_of(["labels", "supervised"]), needs_of(["nothing"])
    (('labels', 'real images', 'supervised'), ())
    """
    needs = [need for tag in tags for need in NEEDS.get(tag, (tag,))]
    return tuple(dict.fromkeys(needs))


def in_words(needs: Sequence[str]) -> str:
    """What a proxy needs, as text.

    >>> in_words(("labels", "real images")), in_words(())
    ('labels, real images', 'nothing')
    """
    return ", ".join(needs) or "nothing"


def _cost(passes: str) -> str:
    return f"{passes} forward and backward passes" if passes != "–" else ""


def _united(needs: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(need for each in needs for need in each))


def paper(cite: str) -> Paper:
    """The paper with this key."""
    words = citation(cite)
    found = ARXIV.search(words)
    return Paper(words, f"https://arxiv.org/abs/{found[1]}" if found else "")


def known_benchmarks() -> dict[str, KnownBenchmark]:
    """Every registered benchmark by name."""
    return {name: _known_benchmark(name, cls) for name, cls in sorted(benchmark_classes().items())}


def _known_benchmark(name: str, cls: type[Benchmark]) -> KnownBenchmark:
    benchmark = cls()
    facts = {
        "Data sets": cls.datasets,
        "Ground truths": _truths(cls.datasets, benchmark.truths_of),
        "Further ground truths": _truths(cls.datasets, benchmark.further_truths),
        "Sets of networks": tuple(f"{subset}: {words}" for subset, words in cls.subsets.items()),
        "Also called": cls.aliases,
    }
    return KnownBenchmark(name, cls.title, {fact: each for fact, each in facts.items() if each}, paper(cls.citation))


def _truths(datasets: Sequence[str], truths_of: Callable[[str], Sequence[tuple[str, int | str]]]) -> tuple[str, ...]:
    """The ground truths, and for those that only some data sets have, which."""
    having: dict[str, list[str]] = {}
    for dataset in datasets:
        for split, epochs in truths_of(dataset):
            having.setdefault(f"{split}/{epochs}", []).append(dataset)
    return tuple(
        truth if len(some) == len(datasets) else f"{truth} ({', '.join(some)})" for truth, some in having.items()
    )
