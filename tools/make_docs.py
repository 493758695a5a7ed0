"""Generate pages from declared facts, so that they always agree with the code, and numbers in pages from results.

``python -m tools.make_docs`` writes them, ``--check`` only checks whether they are up to date, and ``--costs RUN``
first reads the costs of the proxies in a run.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness._utils.citations import citation
from harness.analysis.timings import cost_table
from harness.cli.listing import family_order
from harness.display.tables.numbers import coefficient
from harness.proxies._measured_costs import FILE, cost_in_words, measured_costs
from harness.proxies._measured_dependence import Cause, dependent_on
from harness.registry import aggregates, proxies
from harness.registry.declared import FILE as DECLARED
from harness.registry.declared import declared_text
from harness.store import Store
from tools.measured import filled

if TYPE_CHECKING:
    from harness.aggregates import Aggregate
    from harness.contracts.proxy import Proxy, ProxyFacts

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = REPOSITORY / "docs"


def proxies_page() -> str:
    """``docs/proxies.md``: every proxy and rank aggregate of the harness with its facts and formula."""
    own = [proxy for proxy in proxies().values() if proxy.function.__module__.startswith("harness.")]
    own.sort(key=family_order)
    pooled = [a for a in aggregates().values() if a.combine.__module__.startswith("harness.")]
    pooled.sort(key=lambda aggregate: aggregate.name)
    return "\n".join(
        [
            "# Proxies",
            "",
            "Generated from declared facts by `python -m tools.make_docs`; do not edit. To add your own proxy, see",
            "[adding-a-proxy.md](adding-a-proxy.md).",
            "",
            "| name | label | better | looks at | batches | cost | supervised | axes | what it computes |",
            "|---|---|---|---|---|---|---|---|---|",
            *map(_row, own),
            "",
            "*Looks at*: nothing (only the network), noise, images, or images with labels. *Batches*: the number of",
            "mini-batches that it needs, if only for their shape. *Cost*: stand-alone cost in forward-backward passes",
            "of the same network, as the median over cells of NATS-Bench's topology space with 64 CIFAR-10 images on",
            "one thread ([performance.md](performance.md)). *Supervised*: a constant was chosen using the accuracies",
            "of a benchmark. *Axes*: what its authors derive it from, as the survey groups proxies: expressivity (E),",
            "generalisation (G), trainability (T).",
            "",
            "For how proxies treat modules that are used more than once, and operations outside modules, see",
            "[What a proxy sees](adding-a-proxy.md#what-a-proxy-sees).",
            "",
            *_aggregates_table(pooled),
            *(line for proxy in own for line in _section(proxy, own)),
            *(line for aggregate in pooled for line in _aggregate_section(aggregate)),
        ]
    )


def _row(p: Proxy) -> str:
    supervised = "yes" if p.supervised else "no"
    axes = ", ".join(axis[0].upper() for axis in p.axes) or "–"
    name, cost = f"[`{p.name}`](#{p.name})", cost_in_words(p.name)
    cells = (name, _cell(p.label), p.better, p.data, str(p.batches), cost, supervised, axes, _cell(p.summary))
    return f"| {' | '.join(cells)} |"


def _aggregates_table(pooled: Sequence[Aggregate]) -> list[str]:
    rows = [f"| [`{a.name}`](#{a.name}) | {_cell(a.label)} | {_parts(a)} | {_cell(a.summary)} |" for a in pooled]
    return [
        "A rank aggregate scores a network relative to a pool of networks. `harness report` computes it over all",
        "networks for which every part is finite, prints their number, and does not store it. $r_p$ is the rank of a",
        "network in the pool by part p, from 1 for the worst to the pool's size m for the best; equal scores share the",
        "mean of their ranks.",
        "",
        "| name | label | parts | what it computes |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _section(proxy: Proxy, own: Sequence[Proxy]) -> list[str]:
    """One proxy: name, facts, then its docstring."""
    variants = [f"`{other.name}`" for other in own if other.variant_of == proxy.name]
    facts = [
        f"variant of `{proxy.variant_of}`" if proxy.variant_of else "",
        f"better: {proxy.better}",
        f"looks at: {proxy.data}" + (f", {proxy.batches} mini-batches" if proxy.batches > 1 else ""),
        f"derived from: {', '.join(proxy.axes)}" if proxy.axes else "",
        f"supervised: {proxy.supervised}" if proxy.supervised else "",
        f"variants: {', '.join(variants)}" if variants else "",
        *_dependences(proxy.name),
        f"version {proxy.version}",
        f"follows: {proxy.source}",
    ]
    return _described(proxy.name, proxy.function, facts, proxy.cite)


def _dependences(proxy: str) -> list[str]:
    """What its ranking depends on, as measured."""
    causes: tuple[Cause, ...] = ("images", "resolution")
    return [
        f"depends on the {cause}: Kendall τ {coefficient(each.kendall)} between two rankings of {each.networks} "
        f"networks of {each.benchmark}"
        for cause in causes
        for each in dependent_on(cause, [proxy]).values()
    ]


def _aggregate_section(aggregate: Aggregate) -> list[str]:
    """One rank aggregate: name, facts, then its docstring."""
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


def write_costs(run: Path) -> None:
    """Write the stand-alone cost of each proxy in a run, in passes of each network, to a file beside the proxies.

    Proxies that the run lacks keep theirs.
    """
    with Store.read(run) as store:
        scores = store.scores()
    passes = cost_table(scores).set_index("proxy")["standalone_ratio"].dropna()
    measured_costs.cache_clear()
    costs = measured_costs() | {str(name): value for name, value in passes.items()}
    rows = [f"{name},{value:.3g}" for name, value in sorted(costs.items())]
    FILE.write_text("\n".join(["proxy,passes", *rows]) + "\n", encoding="utf-8")


def main() -> None:
    """Write the pages, or with ``--check`` exit with code 1 if one is not up to date."""
    if sys.argv[1:2] == ["--costs"]:
        write_costs(Path(sys.argv[2]))
        measured_costs.cache_clear()
    for path, text in pages().items():
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.relative_to(REPOSITORY)} is not up to date; run: python -m tools.make_docs")


def pages() -> dict[Path, str]:
    """Every generated file with its content."""
    return {
        DOCUMENTS / "proxies.md": proxies_page(),
        DOCUMENTS / "api.md": api_page(),
        DECLARED: declared_text(_own_facts()),
        **measured_pages(),
    }


def measured_pages() -> dict[Path, str]:
    """Every document with numbers that :mod:`tools.measured` makes, with its content.

    Raises:
        ValueError: if a number cannot be made; the message names the document.
    """
    documents = [*sorted(DOCUMENTS.glob("*.md")), *sorted((REPOSITORY / "results").rglob("README.md"))]
    texts = {path: path.read_text(encoding="utf-8") for path in documents}
    return {
        path: filled(text, path.relative_to(REPOSITORY).as_posix())
        for path, text in texts.items()
        if "made by:" in text
    }


PUBLIC = (
    "harness",
    "harness.contracts",
    "harness.probe",
    "harness.networks",
    "harness.tasks",
    "harness.seeds",
    "harness.images",
    "harness.data",
    "harness.aggregates",
    "harness.analysis",
    "harness.results",
    "harness.reporting",
    "harness.scoring",
    "harness.searching",
    "harness.reproduction",
    "harness.execution",
    "harness.testing",
    "harness.errors",
)
"""The public modules."""


def api_page() -> str:
    """``docs/api.md``: every public name with the first line of its documentation."""
    lines = [
        "# Public names",
        "",
        "Generated by `python -m tools.make_docs`; do not edit. These names keep their meaning within a minor version.",
        "Everything else is private and may change. Names that moved since 0.1 can still be imported, with a warning.",
        "",
    ]
    for module in map(importlib.import_module, PUBLIC):
        lines += [f"## `{module.__name__}`", "", f"{_first_line(module)}", "", "| name | what it is |", "|---|---|"]
        lines += [
            f"| `{name}` | {_cell(_summary(getattr(module, name)))} |"
            for name in sorted(module.__all__)
            if name != "__version__"
        ]
        lines.append("")
    lines += [
        "## `harness.exhibits`",
        "",
        "Each module has a function with the same name that turns an opened run into an exhibit, such as",
        "`harness.exhibits.top.top(run)`.",
        "",
        "| module | what it shows |",
        "|---|---|",
        *(f"| `{name}` | {_cell(_first_line(module))} |" for name, module in exhibits()),
        "",
        "`harness.exhibits.catalogue.for_run(run)` makes what a run allows, and says why others are missing.",
        "",
    ]
    return "\n".join(lines)


def exhibits() -> list[tuple[str, ModuleType]]:
    """The name and the module of every exhibit."""
    import harness.exhibits

    found = sorted(module.name for module in pkgutil.iter_modules(harness.exhibits.__path__))
    helpers = ("catalogue", "network_costs", "part", "pool")
    shown = [name for name in found if not name.startswith("_") and name not in helpers]
    return [(name, importlib.import_module(f"harness.exhibits.{name}")) for name in shown]


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _summary(thing: object) -> str:
    """The first paragraph of a class or function; for a constant, its value or type."""
    if inspect.isclass(thing) or inspect.isroutine(thing):
        text = _first_line(thing)
        return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return f"`{thing!r}`" if isinstance(thing, str) else f"a constant `{type(thing).__name__}`"


def _own_facts() -> dict[str, list[ProxyFacts]]:
    """The facts of the harness's proxies, by the module of their entry point."""
    own: dict[str, list[ProxyFacts]] = {}
    for proxy in proxies().values():
        if proxy.function.__module__.startswith("harness."):
            own.setdefault(proxy.function.__module__, []).append(proxy)
    return own


if __name__ == "__main__":
    main()
