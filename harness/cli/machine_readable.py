"""The documents that ``--json`` prints; docs/json.md describes their schema.

Every document gives the version of its schema in ``schema``. Numbers have full precision; null means unknown or
undefined. A later version may add keys; it raises ``schema`` if it changes or removes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness._utils.citations import citation
from harness.data.formats import Importable
from harness.data.sources import Obtainable
from harness.proxies._measured_costs import measured_costs
from harness.registry import STANDARD, aggregates, benchmark_classes, proxy_facts, select_proxies

if TYPE_CHECKING:
    from harness.contracts.proxy import ProxyFacts
    from harness.leaderboard.entry import Entry
    from harness.reporting.report import Report

SCHEMA = 1

Document = dict[str, Any]


def benchmarks_document() -> Document:
    """Every registered benchmark with its declared facts."""
    found = []
    for name, cls in sorted(benchmark_classes().items()):
        benchmark = cls()
        found.append(
            {
                "name": name,
                "aliases": cls.aliases,
                "title": cls.title,
                "paper": citation(cls.citation),
                "datasets": cls.datasets,
                "ground_truths": {
                    dataset: [f"{split}/{epochs}" for split, epochs in benchmark.truths_of(dataset)]
                    for dataset in cls.datasets
                },
                "further_ground_truths": {
                    dataset: [f"{split}/{epochs}" for split, epochs in benchmark.further_truths(dataset)]
                    for dataset in cls.datasets
                },
                "sets": cls.subsets,
                "must_be_imported": issubclass(cls, Importable),
                "can_be_downloaded": issubclass(cls, Obtainable),
            }
        )
    return {"schema": SCHEMA, "benchmarks": found}


def proxies_document(own: Sequence[str]) -> Document:
    """Every proxy and rank aggregate with its declared facts, the user's own proxies first."""
    brought = select_proxies(own) if own else []
    pooled = [
        {
            "name": name,
            "aliases": aggregate.aliases,
            "label": aggregate.label,
            "better": aggregate.better,
            "parts": aggregate.parts,
            "summary": aggregate.summary,
            "paper": citation(aggregate.cite),
            "source": aggregate.source,
            "supervised": aggregate.supervised,
        }
        for name, aggregate in sorted(aggregates().items())
    ]
    known = [_proxy(proxy) for proxy in [*brought, *(facts for _, facts in sorted(proxy_facts().items()))]]
    return {"schema": SCHEMA, "proxies": known, "aggregates": pooled}


def report_document(report: Report) -> Document:
    """The tables of a report, with the facts that they are based on."""
    heading = report.heading
    return {
        "schema": SCHEMA,
        "heading": {
            "benchmark": heading.benchmark,
            "dataset": heading.dataset,
            "networks": heading.networks,
            "set": heading.subset,
            "sample_seed": heading.seed,
            "ground_truth": heading.ground_truth,
            "inputs": heading.inputs(),
            "noise": heading.noise,
            "facts": (*heading.facts, *heading.doubts),
        },
        "sets": heading.sets,
        "main_set": report.subset,
        "labels": report.labels,
        "correlations": report.correlations.to_dict("records"),
        "costs": report.costs.to_dict("records"),
        "published": None if report.published is None else report.published.to_dict("records"),
        "seeds": None if report.seeds is None else report.seeds.to_dict("records"),
        "manifest": report.manifest,
    }


def _proxy(proxy: ProxyFacts) -> Document:
    return {
        "name": proxy.name,
        "aliases": proxy.aliases,
        "label": proxy.label,
        "standard": proxy.name in STANDARD,
        "variant_of": proxy.variant_of,
        "better": proxy.better,
        "looks_at": proxy.data,
        "axes": proxy.axes,
        "batches": proxy.batches,
        "version": proxy.version,
        "cost": measured_costs().get(proxy.name),
        "summary": proxy.summary,
        "paper": citation(proxy.cite),
        "source": proxy.source,
        "supervised": proxy.supervised,
    }


def entries_document(entries: Sequence[Entry]) -> Document:
    """Entries of a collection of scores, for ``harness results list --json``."""
    return {"schema": SCHEMA, "entries": [_entry(entry) for entry in entries]}


def _entry(entry: Entry) -> Document:
    return {
        "benchmark": entry.benchmark,
        "dataset": entry.dataset,
        "proxy": entry.proxy,
        "version": entry.version,
        "setting": entry.setting_id,
        "networks": entry.networks,
        "counts": dict(entry.counts),
        "tags": list(entry.tags),
        "by": entry.by,
        "command": entry.command,
        "file": str(entry.table),
    }
