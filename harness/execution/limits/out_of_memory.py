"""Out-of-memory errors: recognise them, and explain how much memory was needed."""

from __future__ import annotations

import copy
import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from harness._utils.sizes import readable_size
from harness.execution.limits.memory import bytes_in_use
from harness.images import Batch
from harness.probe import Probe

_SIGNS = ("can't allocate memory", "not enough memory", "std::bad_alloc", "CUDA out of memory")
_ASKED = re.compile(r"tried to allocate ([0-9.]+) (bytes|[KMGT]iB)", re.IGNORECASE)
_FACTORS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: in Python, NumPy, torch on the CPU, or on a GPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def explain(error: BaseException, probe: Probe, limit: int | None) -> str:
    """Explain in one line how much memory was in use and requested, what the shared pass needs, and what helps.

    Call this while the error's frames still keep the memory of the pass.
    """
    on_gpu = bool(probe.batches) and probe.batches[0].images.is_cuda
    in_use = torch.cuda.memory_allocated() if on_gpu else bytes_in_use()
    found = _ASKED.search(str(error))
    asked = None if found is None else float(found[1]) * _FACTORS[found[2].lower()]
    parts = [f"{readable_size(in_use)} were in use"] if in_use is not None else []
    parts += [f"{readable_size(asked)} more were requested"] if asked is not None else []
    bound = f" under the limit of {readable_size(limit)}" if limit is not None else ""
    needed = graph_bytes(probe)
    estimate = ""
    if needed is not None:
        images = len(probe.batch().images)
        estimate = f"; the graph of one forward pass of {images} images takes about {readable_size(needed)}"
    more = "a larger --memory-limit" if limit is not None else "fewer workers"
    return (
        f"out of memory{bound}: {' and '.join(parts) or 'an allocation failed'}{estimate}; a smaller --batch-size or "
        f"--resolution needs less, {more} gives more"
    )


def graph_bytes(probe: Probe) -> int | None:
    """The bytes that the probe's shared forward pass keeps for its backward pass, without the weights.

    The pass runs on torch's device ``meta``, where tensors have shapes but no contents, so this needs neither memory
    nor time. None if the network does not support it.
    """
    if not probe.batches:
        return None
    network = _without_contents(probe.network)
    weights = {_storage(tensor) for tensor in (*network.parameters(), *network.buffers())}
    batch = Batch(*(tensor.to("meta") for tensor in (probe.batch().images, probe.batch().labels)))
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(_storage(tensor), tensor)
        return tensor

    try:
        with saved_tensors_hooks(keep, lambda tensor: tensor):
            passed = Probe(network, [batch]).forward()
    except (RuntimeError, TypeError, ValueError):
        return None
    for tensor in (*passed.relu_inputs, *(output for _, output in passed.layer_outputs)):
        keep(tensor)
    return sum(tensor.untyped_storage().nbytes() for key, tensor in kept.items() if key not in weights)


def _without_contents(network: nn.Module) -> nn.Module:
    """A copy with parameters and buffers on the device ``meta``; their contents are never copied."""
    memo: dict[int, Any] = {}
    for parameter in network.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), parameter.requires_grad)
    for buffer in network.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(network, memo)


def _storage(tensor: Tensor) -> int:
    """The identity of a tensor's memory, valid during the tensor's lifetime."""
    return int(tensor.untyped_storage()._cdata)
