"""The common data of all units of a run, and what a computing process keeps between units."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.errors import DataError, HarnessError
from harness.images import Batch
from harness.images.batches import read_batches
from harness.networks.initialisation import DEFAULT
from harness.registry import resolve
from harness.registry.by_file import benchmark_made_by, source_digest
from harness.registry.own_benchmarks import code_digest


@dataclass(frozen=True)
class Job:
    """The common data of all units of a run; small and picklable.

    Attributes:
        benchmark: reference of the benchmark or its class, ``module:name`` or ``path.py:name``; the benchmark itself if
            this process computes.
        dataset: the data set that networks are built for.
        seed: the seed for the weights and the random numbers of proxies.
        proxies: references of the proxies, ``module:name`` or ``path.py:name``.
        batches: the file that holds the run's mini-batches.
        fingerprint: the fingerprint of those mini-batches; a changed file is refused.
        device: the device for the networks, such as ``cpu`` or ``cuda``.
        torch: the required version of torch, because other versions may round differently; None: any.
        time_limit: seconds allowed per unit; None: no limit.
        memory_limit: bytes that the process may use; None: no limit.
        sources: name and hash of the source of each unregistered proxy; a changed file is refused.
        init: how weights are drawn, one of :data:`harness.networks.initialisation.IN_WORDS`.
        contents: the hashes of an unregistered benchmark's code and data; other ones are refused. None: registered.
    """

    benchmark: str | Benchmark
    dataset: str
    seed: int
    proxies: tuple[str, ...]
    batches: str
    fingerprint: str
    device: str
    torch: str | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    sources: tuple[tuple[str, str | None], ...] = ()
    init: str = DEFAULT
    contents: tuple[str | None, str | None] | None = None


@functools.lru_cache(maxsize=2)
def benchmark_and_proxies(job: Job) -> tuple[Benchmark, dict[str, Proxy]]:
    """The benchmark, and the proxies by name; kept between units."""
    if job.torch not in (None, torch.__version__):
        raise DataError(
            f"this run needs torch {job.torch}, but a worker has torch {torch.__version__}; install the same"
        )
    benchmark = benchmark_of(job)
    known = {proxy.name: proxy for proxy in (_found(target, "proxy") for target in job.proxies)}
    for name, source in job.sources:
        if source_digest(known[name]) != source:
            raise DataError(f"the file of the proxy '{name}' changed during the run; start again with a new --out")
    return benchmark, known


def benchmark_of(job: Job) -> Benchmark:
    """The benchmark of a job, loaded from its file or module if this is a worker.

    Raises:
        DataError: if it is not there, or has changed since the run was started.
    """
    if isinstance(job.benchmark, Benchmark):
        return job.benchmark
    found = _found(job.benchmark, "benchmark")
    benchmark: Benchmark = benchmark_made_by(found) if isinstance(found, type) else found
    if job.contents not in (None, (code_digest(benchmark), benchmark.contents)):
        raise DataError(
            f"the file or the table of the benchmark '{benchmark.name}' changed during the run; start again with a new "
            "--out"
        )
    return benchmark


def _found(target: str, kind: str) -> Any:
    """What a reference leads to in this process.

    Raises:
        DataError: if this is a worker that cannot load it.
    """
    try:
        return resolve(target)
    except AttributeError:
        raise DataError(
            f"a worker cannot find the {kind} '{target}'; define it at the top level of its file, not under "
            'if __name__ == "__main__":'
        ) from None
    except ImportError as error:
        raise DataError(
            f"a worker cannot import the {kind} '{target}' ({error}); install its package on the workers' machines, or "
            "give its file as path.py:name"
        ) from error
    except HarnessError as error:
        raise DataError(f"a worker cannot load the {kind} '{target}': {error}") from error


def read_batches_of(job: Job) -> list[Batch]:
    """Read the run's mini-batches from their file, and put them on their device in the layout for the networks."""
    return [
        Batch(_channels_last(batch.images.to(job.device)), batch.labels.to(job.device))
        for batch in read_batches(Path(job.batches), job.fingerprint)
    ]


batches_of = functools.lru_cache(maxsize=2)(read_batches_of)
"""The same, kept between units, and read again if a proxy changed them."""

untouched_batches_of = functools.lru_cache(maxsize=2)(read_batches_of)
"""A copy of them in memory that no proxy can access."""


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    """Use the memory layout with the fastest convolutions; images cut into tiles keep theirs."""
    return images.contiguous(memory_format=torch.channels_last) if images.dim() == 4 else images
