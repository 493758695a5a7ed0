"""Pages that are made from declared facts, so that they cannot disagree with the code.

``python -m harness.documents`` writes them, with ``--check`` it only tells whether they are up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.citations import citation
from harness.listing import family_order
from harness.registry import aggregates, proxies

if TYPE_CHECKING:
    from harness.aggregates import Aggregate
    from harness.proxies.base import Proxy

DOCUMENTS = Path(__file__).parents[1] / "docs"


def proxies_page() -> str:
    """``docs/proxies.md``: every proxy and rank aggregate of the harness with its facts and its formula."""
    own = [proxy for proxy in proxies().values() if proxy.function.__module__.startswith("harness.")]
    own.sort(key=family_order)
    pooled = [a for a in aggregates().values() if a.combine.__module__.startswith("harness.")]
    pooled.sort(key=lambda aggregate: aggregate.name)
    return "\n".join(
        [
            "# Proxies",
            "",
            "Made from the declared facts by `python -m harness.documents`; do not edit. How to add one of your own:",
            "[adding-a-proxy.md](adding-a-proxy.md).",
            "",
            "| name | label | better | looks at | batches | supervised | what it computes |",
            "|---|---|---|---|---|---|---|",
            *map(_row, own),
            "",
            "*Looks at*: nothing but the network, noise, images, or images with their labels. *Batches*: the",
            "mini-batches that it needs, if only for their shape. *Supervised*: a constant was chosen with the",
            "accuracies of a benchmark.",
            "",
            *_aggregates_table(pooled),
            *(line for proxy in own for line in _section(proxy, own)),
            *(line for aggregate in pooled for line in _aggregate_section(aggregate)),
        ]
    )


def _row(p: Proxy) -> str:
    supervised = "yes" if p.supervised else "no"
    cells = (f"[`{p.name}`](#{p.name})", _cell(p.label), p.better, p.data, str(p.batches), supervised, _cell(p.summary))
    return f"| {' | '.join(cells)} |"


def _aggregates_table(pooled: Sequence[Aggregate]) -> list[str]:
    if not pooled:
        return []
    rows = [f"| [`{a.name}`](#{a.name}) | {_cell(a.label)} | {_parts(a)} | {_cell(a.summary)} |" for a in pooled]
    return [
        "Rank aggregates give a network a score among others alone: `harness report` computes them over the pool of",
        "networks for which every part is finite, says how many these are, and stores nothing of it. $r_p$ is the",
        "rank of a network in the pool by part p, from 1 for the worst to the pool's size m for the best; equal scores",
        "share the mean of their ranks.",
        "",
        "| name | label | parts | what it computes |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _section(proxy: Proxy, own: Sequence[Proxy]) -> list[str]:
    """One proxy: name, facts, then its documentation as it stands in the code."""
    variants = [f"`{other.name}`" for other in own if other.variant_of == proxy.name]
    facts = [
        f"variant of `{proxy.variant_of}`" if proxy.variant_of else "",
        f"better: {proxy.better}",
        f"looks at: {proxy.data}" + (f", {proxy.batches} mini-batches" if proxy.batches > 1 else ""),
        f"supervised: {proxy.supervised}" if proxy.supervised else "",
        f"variants: {', '.join(variants)}" if variants else "",
        f"version {proxy.version}",
        f"follows: {proxy.source}",
    ]
    return _described(proxy.name, proxy.function, facts, proxy.cite)


def _aggregate_section(aggregate: Aggregate) -> list[str]:
    """One rank aggregate, likewise."""
    facts = [
        f"rank aggregate of {_parts(aggregate)}",
        f"better: {aggregate.better}",
        f"supervised: {aggregate.supervised}" if aggregate.supervised else "",
        f"follows: {aggregate.source}",
    ]
    return _described(aggregate.name, aggregate.combine, facts, aggregate.cite)


def _described(name: str, formula: Callable[..., object], facts: Iterable[str], cite: str) -> list[str]:
    documentation = (inspect.getdoc(formula) or "").partition("\n\nRaises:")[0]
    body = re.sub(r":math:`([^`]*)`", r"$\1$", documentation).replace("``", "`")
    return [f"## {name}", "", body, "", f"*{'; '.join(filter(None, facts))}.* {citation(cite)}.", ""]


def _parts(aggregate: Aggregate) -> str:
    return ", ".join(f"`{part}`" for part in aggregate.parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the pages, or with ``--check`` end with exit code 1 where one is not up to date."""
    path, text = DOCUMENTS / "proxies.md", proxies_page()
    if "--check" not in sys.argv[1:]:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"{path.name} is not up to date; run: python -m harness.documents")


if __name__ == "__main__":
    main()
