"""#Params and #FLOPs of a benchmark's networks without weights: formulas, and networks on torch's meta device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.contracts.benchmark import Benchmark
from harness.data.formats import Importable

Progress = Callable[[int], None]


@runtime_checkable
class Counted(Protocol):
    """A benchmark with a formula for the operations of its networks."""

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        """The number of multiply-accumulates for one image of each architecture's network."""


def sizes_of(
    benchmark: Benchmark, architectures: Sequence[str], dataset: str, progress: Progress | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of parameters and of multiply-accumulates for one image, of each architecture's network.

    Benchmarks may have formulas. Otherwise one network is built for each
    :meth:`~harness.contracts.benchmark.Benchmark.size_key`, without drawing weights or computing anything.

    Args:
        benchmark: the benchmark.
        architectures: its architectures.
        dataset: the data set that networks are built for.
        progress: called with the number of networks to build, if there are any.
    """
    if isinstance(benchmark, Importable) and isinstance(benchmark, Counted):
        parameters = benchmark.table_format().parameters(list(architectures), dataset)
        return parameters, benchmark.operation_counts(architectures, dataset)
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
    """The two sizes of one network, on the meta device; on the CPU for a network that looks at its numbers."""
    try:
        return _counted(benchmark, architecture, dataset, "meta")
    except (RuntimeError, NotImplementedError):
        return _counted(benchmark, architecture, dataset, "cpu")


def _counted(benchmark: Benchmark, architecture: str, dataset: str, device: str) -> tuple[int, int]:
    import torch
    from torch import nn

    with torch.device(device):
        network = benchmark.build(architecture, dataset).eval()
    operations = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal operations
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        # Each position uses every weight once: of the input if the convolution is transposed, else of the output.
        positions = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        operations += weight.numel() * (positions.numel() // weight.shape[0])

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, *benchmark.task(dataset).image_shape, device=device))
    return sum(parameter.numel() for parameter in network.parameters()), operations
