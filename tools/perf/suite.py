"""The cost of the proxies, in plain forward-backward passes of the same network on the same batch.

Measured with one thread in processor time, to minimise the effect of other programs.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import nn

from harness._utils.process_settings import one_thread
from harness.contracts.proxy import Proxy
from harness.execution.clocks import CLOCKS, clock_of
from harness.execution.limits.memory import peak_megabytes
from harness.images import Batch, load_images
from harness.probe import Probe
from harness.probe.ledger import Ledger
from harness.registry import load_benchmark, select_proxies
from harness.seeds import derive_seed
from tools.perf.published_code import PUBLISHED, one_by_one

CLOCK = CLOCKS[clock_of("cpu")]
PASSES = 2
"""Number of plain passes before and after each measurement, to compensate for changes of the machine's speed."""


@dataclass(frozen=True)
class Cost:
    """The costs for one network.

    Attributes:
        forward_backward: seconds for a plain forward and backward pass.
        suite: seconds for all proxies together, from the built network to the last score.
        standalone: for each proxy, the seconds that it alone would have taken.
        own: for each proxy, the seconds saved without it.
    """

    forward_backward: float
    suite: float
    standalone: dict[str, float]
    own: dict[str, float]


def networks(cells: int, batch_size: int, images: str) -> Iterator[tuple[nn.Module, list[Batch]]]:
    """Uniformly drawn NATS-TSS networks with mini-batches of CIFAR-10's size; the first is for warm-up."""
    benchmark = load_benchmark("nats-tss")
    batches = load_images(images, benchmark.task("cifar10")).batches(batch_size, 2, seed=0)
    for architecture in benchmark.sample(cells + 1, seed=0):
        torch.manual_seed(derive_seed("bench", architecture))
        yield benchmark.build(architecture, "cifar10"), batches


def as_run(network: nn.Module, batches: list[Batch]) -> tuple[nn.Module, list[Batch]]:
    """Convert network and mini-batches to the memory layout of runs."""
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, [Batch(b.images.contiguous(memory_format=torch.channels_last), b.labels) for b in batches]


def score_all(network: nn.Module, batches: list[Batch], proxies: list[Proxy]) -> Probe:
    """Score a network with every proxy; the probe's ledger has the cost of each."""
    anticipated = {quantity for proxy in proxies for quantity in proxy.anticipates}
    probe = Probe(network, batches, anticipate=anticipated)
    probe.ledger = Ledger(CLOCK)
    for proxy in proxies:
        with probe.ledger.measure(proxy.name):
            proxy(probe)
    return probe


def measure_network(network: nn.Module, batches: list[Batch], proxies: list[Proxy]) -> Cost:
    """Measure the costs for one network."""
    batch = batches[0]

    def plain() -> None:
        loss = F.cross_entropy(network(batch.images), batch.labels)
        torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)

    plain()
    passes = [seconds(plain) for _ in range(PASSES)]
    start = CLOCK()
    ledger = score_all(network, batches, proxies).ledger
    suite = CLOCK() - start
    names = {proxy.name for proxy in proxies}
    standalone = {name: ledger.standalone(name) for name in names}
    own = {name: ledger.marginal(name, names) for name in names}
    passes += [seconds(plain) for _ in range(PASSES)]
    return Cost(statistics.median(passes), suite, standalone, own)


def seconds(call: Callable[[], object]) -> float:
    """Processor time of a call."""
    start = CLOCK()
    call()
    return CLOCK() - start


def median_ratio(costs: list[Cost], taken: list[float]) -> float:
    """Median over networks of given seconds ÷ forward + backward."""
    return statistics.median(part / cost.forward_backward for part, cost in zip(taken, costs, strict=True))


def print_suite(console: Console, cells: int, batch_size: int, images: str) -> None:
    """Print the cost of each proxy of the suite, and of all together."""
    everything = select_proxies("standard")
    without = [proxy for proxy in everything if proxy.name != "grasp"]
    with one_thread():
        measured = [
            [measure_network(*as_run(*drawn), chosen) for chosen in (everything, without)]
            for drawn in networks(cells, batch_size, images)
        ][1:]
    with_grasp, lean = ([costs[place] for costs in measured] for place in (0, 1))
    title = f"Cost ÷ one forward + backward, median over {cells} NATS-TSS networks, batch {batch_size}"
    console.print(title, highlight=False)
    table = Table("what", "stand-alone", "own")
    alone = {p.name: median_ratio(with_grasp, [cost.standalone[p.name] for cost in with_grasp]) for p in everything}
    own = {p.name: median_ratio(with_grasp, [cost.own[p.name] for cost in with_grasp]) for p in everything}
    for name in sorted(alone, key=alone.__getitem__):
        table.add_row(name, f"{alone[name]:.2f}", f"{own[name]:.2f}")
    console.print(table)
    for words, costs in (("without", lean), ("with", with_grasp)):
        count = len(costs[0].own)
        console.print(f"suite of {count} {words} GraSP: {median_ratio(costs, [cost.suite for cost in costs]):.2f}")
    console.print(f"peak memory of this process: {peak_megabytes():,.0f} MB")


def print_published(console: Console, cells: int, batch_size: int, images: str) -> None:
    """Print the cost of seven proxies computed separately, as in published code, relative to all together."""
    proxies = select_proxies(list(PUBLISHED))
    apart, together = [], []
    with one_thread():
        for network, batches in networks(cells, batch_size, images):
            apart.append(seconds(partial(one_by_one, network, batches[0])))
            together.append(seconds(partial(score_all, *as_run(network, batches), proxies)))
    ratios = [a / b for a, b in zip(apart[1:], together[1:], strict=True)]
    console.print(
        f"{len(proxies)} proxies ({', '.join(PUBLISHED)}), separately as published ÷ together here: "
        f"{statistics.median(ratios):.1f} (single networks: {min(ratios):.1f} to {max(ratios):.1f})"
    )
