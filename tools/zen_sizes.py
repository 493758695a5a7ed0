"""Which convention of counting gives the sizes that Zen-NAS and ZiCo printed: a table of ``docs/zen-nas-spaces.md``."""

from __future__ import annotations

import math

from harness_benchmarks.zen.benchmark import TASKS
from harness_benchmarks.zen.counters import Counts, counts
from harness_benchmarks.zen.grammar import parse
from harness_benchmarks.zen.published import Published, published

_MILLION = 1e6


def rows() -> list[list[str]]:
    """Head and rows: each network's printed sizes in millions, ours, and the conventions that give the printed ones."""
    head = [
        "network", "#Params printed", "without SE", "with SE", "printed is", "#FLOPs printed", "MACs without SE",
        "`get_FLOPs` without SE", "profiler without SE", "profiler with SE", "printed is",
    ]  # fmt: skip
    return [head, *(_row(network) for network in published() if network.dataset != "cifar100")]


def _row(network: Published) -> list[str]:
    without, with_se = (_counted(network, excites) for excites in (False, True))
    params = {"without SE": without.params, "with SE": with_se.params if network.excites else math.nan}
    operations = {
        "MACs without SE": without.macs,
        "MACs with SE": with_se.macs if network.excites else math.nan,
        "`get_FLOPs` without SE": without.official_flops,
        "`get_FLOPs` with SE": with_se.official_flops if network.excites else math.nan,
        "profiler without SE": without.profiled,
        "profiler with SE": with_se.profiled if network.excites else math.nan,
    }
    shown = ("MACs without SE", "`get_FLOPs` without SE", "profiler without SE", "profiler with SE")
    return [
        network.network.replace("_imagenet1k", "").replace("_res224", "").replace("_res32", ""),
        "–" if network.params is None else f"{network.params:g}",
        *(_millions(params[name]) for name in params),
        "–" if network.params is None else _given_by(network.params, params, 0.1 if network.params < 100 else 1),
        f"{network.flops:,.0f}",
        *(_millions(operations[name]) for name in shown),
        _given_by(network.flops, operations, _unit(network)),
    ]


def _unit(network: Published) -> float:
    """The last printed digit of #FLOPs, in millions; Zen-NAS prints large ones in tenths of a billion."""
    return 100 if network.source == "Zen-NAS" and network.flops >= 1000 else 1


def _given_by(printed: float, found: dict[str, float], unit: float) -> str:
    """The conventions whose number is the printed one once it is rounded, or else cut off, to the printed digits."""
    steps = {name: value / _MILLION / unit for name, value in found.items() if not math.isnan(value)}
    wanted = round(printed / unit)
    rounded = [name for name, value in steps.items() if round(value) == wanted]
    cut = [f"{name}, cut off" for name, value in steps.items() if math.floor(value) == wanted and name not in rounded]
    return "; ".join([*rounded, *cut]) or "none"


def _counted(network: Published, excites: bool) -> Counts:
    shape, classes = TASKS[network.dataset]
    return counts(parse(network.structure), shape[-1], classes, links=True, excites=excites)


def _millions(value: float) -> str:
    return "–" if math.isnan(value) else f"{value / _MILLION:,.2f}"
