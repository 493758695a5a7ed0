"""What is registered, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from harness.citations import citation, short_citation
from harness.data import Importable
from harness.data.sources import Obtainable
from harness.registry import benchmark_classes, proxies
from harness.reporting.numbers import coefficient, estimate

if TYPE_CHECKING:
    import pandas as pd


def print_benchmarks(console: Console | None = None) -> None:
    """Every benchmark with its data sets, ground truths, sets of architectures, needs and paper."""
    table = Table(title="Benchmarks", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, cls in sorted(benchmark_classes().items()):
        get = f"harness data get {name}, or " if issubclass(cls, Obtainable) else ""
        needs = f"{get}harness data import {name} FILE; --images" if issubclass(cls, Importable) else "nothing"
        table.add_row(f"[bold]{name}[/bold]", "", cls.title)
        table.add_row("", "datasets", ", ".join(cls.datasets))
        table.add_row("", "ground truth", _joined(cls.truths))
        for dataset in cls.datasets:
            more = [truth for truth in cls().truths_of(dataset) if truth not in cls.truths]
            if more:
                table.add_row("", "", f"{dataset} also: {_joined(more)}")
        for index, (subset, description) in enumerate(cls.subsets.items()):
            table.add_row("", "" if index else "sets", f"{subset}: {description}")
        table.add_row("", "needs", needs)
        table.add_row("", "paper", citation(cls.citation))
    (console or Console()).print(table)


def _joined(truths: Sequence[tuple[str, int | str]]) -> str:
    return ", ".join(f"{split}/{epochs}" for split, epochs in truths)


def print_proxies(console: Console | None = None) -> None:
    """Every proxy with its declared facts."""
    table = Table(title="Proxies", title_justify="left")
    table.add_column("proxy", no_wrap=True)
    table.add_column("better", no_wrap=True)
    table.add_column("looks at", no_wrap=True)
    table.add_column("what it computes", ratio=3)
    table.add_column("paper", ratio=2)
    for proxy in sorted(proxies().values(), key=lambda proxy: (proxy.variant_of or proxy.name, proxy.name)):
        name = proxy.name if proxy.variant_of is None else f"  {proxy.name}"
        looks_at = f"{proxy.batches} batches" if proxy.batches > 1 else proxy.data
        table.add_row(name, proxy.better, looks_at, proxy.summary, short_citation(proxy.cite))
    target = console or Console()
    target.print(table)
    target.print(
        "Indented: variants, where official codes disagree. 'all' stands for the proxies that are no variants.",
        highlight=False,
    )


def print_agreement(agreement: pd.DataFrame, console: Console | None = None) -> None:
    """The rows of :func:`harness.analysis.rank_agreement`."""
    labels = {name: proxy.label for name, proxy in proxies().items()}
    table = Table("proxy", title="Rank agreement", title_justify="left", box=box.HORIZONTALS)
    for header in ("networks", "Spearman ρ [95 %]", "Kendall τ"):
        table.add_column(header, justify="right")
    for row in agreement.to_dict("records"):
        spearman = estimate(row["spearman"], row["spearman_low"], row["spearman_high"])
        table.add_row(
            labels.get(row["proxy"], row["proxy"]), f"{row['networks']:,}", spearman, coefficient(row["kendall"])
        )
    (console or Console()).print(table)
