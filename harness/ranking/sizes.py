"""#Params and #FLOPs of a benchmark's networks without weights: formulas, and networks on torch's meta device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.data.formats import Importable

Progress = Callable[[int], None]


def sizes_of(
    benchmark: Benchmark, architectures: Sequence[str], dataset: str, progress: Progress | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of parameters and of multiply-accumulates for one image, of each architecture's network.

    One network is built for each :meth:`~harness.contracts.benchmark.Benchmark.size_key`; no weights are drawn, and
    nothing is computed.

    Args:
        benchmark: the benchmark.
        architectures: its architectures.
        dataset: the data set that networks are built for.
        progress: called with the number of networks to build, if there are any.
    """
    keys = [benchmark.size_key(architecture) for architecture in architectures]
    first: dict[str, str] = {}
    for key, architecture in zip(keys, architectures, strict=True):
        first.setdefault(key, architecture)
    if progress:
        progress(len(first))
    counted = {key: _built(benchmark, architecture, dataset) for key, architecture in first.items()}
    parameters = np.array([counted[key][0] for key in keys], dtype=np.int64)
    if isinstance(benchmark, Importable):
        parameters = benchmark.table_format().parameters(list(architectures), dataset)
    return parameters, np.array([counted[key][1] for key in keys], dtype=np.int64)


def _built(benchmark: Benchmark, architecture: str, dataset: str) -> tuple[int, int]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), torch.no_grad():
        network = benchmark.build(architecture, dataset)
        images = torch.empty(1, *benchmark.task(dataset).image_shape)
        with FlopCounterMode(display=False) as counter:
            network.eval()(images)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters, counter.get_total_flops() // 2
