"""Where the suite's time goes: into convolutions and matrix products, and into other kernels.

The two together, in those of a plain pass, are what torch's kernels take one after another: the least that faster
Python could leave. The second part is the most that fusing elementwise operations could save.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from harness._utils.process_settings import one_thread
from harness.images import Batch
from harness.registry import select_proxies
from tools.perf.suite import as_run, networks, score_all

PRODUCTS = ("convolution", "mm", "matmul", "linear")
"""Parts of the names of torch's operations that multiply."""


def in_kernels(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a call in operations that multiply, and in other operations."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        call()
    taken = {event.key: event.self_cpu_time_total / 1e6 for event in profiled.key_averages() if "::" in event.key}
    products = sum(time for key, time in taken.items() if any(word in key for word in PRODUCTS))
    return products, sum(taken.values()) - products


def print_kernels(console: Console, cells: int, batch_size: int, images: str) -> None:
    """Print the two parts for a plain pass and for the suite with and without GraSP, in passes."""
    everything = select_proxies("standard")
    subjects = {"all without GraSP": [proxy for proxy in everything if proxy.name != "grasp"], "all": everything}
    parts: dict[str, list[tuple[float, float]]] = {name: [] for name in ("one pass", *subjects)}
    with one_thread():
        for network, batches in (as_run(*drawn) for drawn in networks(cells, batch_size, images)):
            calls: dict[str, Callable[[], object]] = {"one pass": partial(_pass, network, batches[0])}
            calls |= {name: partial(score_all, network, batches, proxies) for name, proxies in subjects.items()}
            taken = {name: in_kernels(call) for name, call in calls.items()}
            whole = sum(taken["one pass"])
            for name, (products, others) in taken.items():
                parts[name].append((products / whole, others / whole))
    console.print(f"Time in kernels ÷ that of one forward + backward, median over {cells} networks", highlight=False)
    table = Table("what", "convolutions and products", "other kernels", "both")
    for name, found in parts.items():
        measured = [(products, others, products + others) for products, others in found[1:]]
        table.add_row(name, *(f"{statistics.median(part):.2f}" for part in zip(*measured, strict=True)))
    console.print(table)


def _pass(network: nn.Module, batch: Batch) -> None:
    loss = F.cross_entropy(network(batch.images), batch.labels)
    torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
