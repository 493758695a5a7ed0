"""The number of multiplications that a proxy needs: a lower bound of its cost.

Torch counts them in convolutions and matrix products during execution. Elementwise operations (batch norms, ReLUs,
sums) are not counted, and take about the same time again on a CPU.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from harness.images import Batch
from harness.registry import select_proxies
from tools.perf.published_code import PUBLISHED, one_by_one
from tools.perf.suite import as_run, networks, score_all

AS_PUBLISHED = "seven as published"
COUNTED = 3
"""Number of networks to count operations on."""


def operations_of_a_pass(network: nn.Module, batch: Batch) -> int:
    """The multiplications of one forward and backward pass."""
    count = _counted(lambda: F.cross_entropy(network(batch.images), batch.labels).backward())  # type: ignore[no-untyped-call]
    network.zero_grad()
    return count


def _counted(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def print_operations(console: Console, batch_size: int, images: str) -> None:
    """Print the multiplications of each proxy alone, and of all together, in forward-backward passes."""
    everything = select_proxies("standard")
    subjects = {proxy.name: [proxy] for proxy in everything}
    subjects["all without GraSP"] = [proxy for proxy in everything if proxy.name != "grasp"]
    subjects["all"] = everything
    subjects["seven together"] = select_proxies(list(PUBLISHED))
    ratios: dict[str, list[float]] = {name: [] for name in (*subjects, AS_PUBLISHED)}
    for network, batches in (as_run(*drawn) for drawn in networks(COUNTED - 1, batch_size, images)):
        whole = operations_of_a_pass(network, batches[0])
        for name, proxies in subjects.items():
            ratios[name].append(_counted(partial(score_all, network, batches, proxies)) / whole)
        ratios[AS_PUBLISHED].append(_counted(partial(one_by_one, network, batches[0])) / whole)
    console.print(f"Multiplications ÷ those of one forward + backward, median over {COUNTED} networks", highlight=False)
    table = Table("what", "multiplications")
    for name, found in ratios.items():
        table.add_row(name, f"{statistics.median(found):.2f}")
    console.print(table)
