"""Registered benchmarks, proxies and aggregates as terminal tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from harness._utils.citations import citation, short_citation
from harness.data import Importable
from harness.data.sources import Obtainable
from harness.proxies._measured_costs import cost_in_words
from harness.registry import STANDARD, aggregates, benchmark_classes, proxy_facts, select_proxies

if TYPE_CHECKING:
    from rich.console import Console

    from harness.aggregates import Aggregate
    from harness.contracts.proxy import ProxyFacts


def print_benchmarks(console: Console) -> None:
    """Print every benchmark: data sets, ground truths, architecture sets, required data and paper."""
    table = Table(title="Benchmarks", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, cls in sorted(benchmark_classes().items()):
        get = f"harness data get {name}, or " if issubclass(cls, Obtainable) else ""
        needs = f"{get}harness data import {name} FILE; --images" if issubclass(cls, Importable) else "nothing"
        table.add_row(Text(name, style="bold"), "", Text(cls.title))
        if cls.aliases:
            table.add_row("", "also called", ", ".join(cls.aliases))
        table.add_row("", "datasets", ", ".join(cls.datasets))
        table.add_row("", "ground truth", _joined(cls.truths))
        for dataset in cls.datasets:
            more = [truth for truth in cls().truths_of(dataset) if truth not in cls.truths]
            if more:
                table.add_row("", "", f"{dataset} also: {_joined(more)}")
            further = cls().further_truths(dataset)
            if further:
                table.add_row("", "", f"{dataset}, with a table of their own: {_joined(further)}")
        for index, (subset, description) in enumerate(cls.subsets.items()):
            table.add_row("", "" if index else "sets", f"{subset}: {description}")
        table.add_row("", "needs", needs)
        table.add_row("", "paper", citation(cls.citation))
    console.print(table)


def _joined(truths: Sequence[tuple[str, int | str]]) -> str:
    return ", ".join(f"{split}/{epochs}" for split, epochs in truths)


def print_proxies(console: Console, own: Sequence[str]) -> None:
    """Print every proxy and rank aggregate with its declared facts, the user's own proxies first."""
    brought = select_proxies(own) if own else []
    table = Table(title="Proxies", title_justify="left", box=box.HORIZONTALS, padding=(0, 1, 0, 0))
    for header in ("proxy", "better", "looks at"):
        table.add_column(header, no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column("what it computes, and where that is defined", ratio=1, overflow="fold")
    for proxy in [*brought, *sorted(proxy_facts().values(), key=family_order)]:
        name = proxy.name if proxy.variant_of is None or proxy in brought else f"  {proxy.name}"
        table.add_row(Text(name), proxy.better, _looks_at(proxy), cost_in_words(proxy.name), _described(proxy))
    console.print(table)
    console.print(
        "Indented: variants, where official implementations disagree; 'all' selects every proxy except variants. "
        f"'standard', the default of 'harness run', selects {', '.join(STANDARD)}. ×2: uses two mini-batches. Cost: "
        "stand-alone, in forward-backward passes, measured on NATS-Bench's topology space with 64 CIFAR-10 images on "
        "one thread.",
        highlight=False,
    )
    if aggregates():
        console.print()
        console.print(_table_of_aggregates())
        console.print(
            "'harness report' computes an aggregate if all its parts were scored. Aggregates are never stored.",
            highlight=False,
        )


def family_order(proxy: ProxyFacts) -> tuple[str, bool, str]:
    """Sort key: proxies by name, each followed by its variants."""
    return proxy.variant_of or proxy.name, proxy.variant_of is not None, proxy.name


def _table_of_aggregates() -> Table:
    table = Table(title="Rank aggregates", title_justify="left", box=box.HORIZONTALS, padding=(0, 1, 0, 0))
    table.add_column("aggregate", no_wrap=True)
    table.add_column("parts", no_wrap=True)
    table.add_column("what it computes, and where that is defined", ratio=1, overflow="fold")
    for aggregate in sorted(aggregates().values(), key=lambda aggregate: aggregate.name):
        table.add_row(Text(aggregate.name), "\n".join(aggregate.parts), _described(aggregate))
    return table


def _looks_at(proxy: ProxyFacts) -> str:
    return f"{proxy.data} ×{proxy.batches}" if proxy.batches > 1 else proxy.data


def _described(entry: ProxyFacts | Aggregate) -> Text:
    """The summary, aliases and supervision, then the paper and the source in dim text."""
    text = Text(entry.summary)
    if entry.aliases:
        text.append(f"\nalso called {', '.join(entry.aliases)}")
    if entry.supervised:
        text.append(f"\nsupervised: {entry.supervised}", style="yellow")
    text.append("\n" + "; ".join(filter(None, (short_citation(entry.cite), entry.source))), style="dim")
    return text
