"""How many multiplications a proxy cannot do without: the floor of its cost.

Counted by torch in convolutions and matrix products, as they are carried out; what goes through single entries (batch
norms, ReLUs, sums) is not counted, and takes about as long again on a processor.
"""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from harness.bench.suite import score_all
from harness.images import Batch
from harness.proxies.base import Proxy


def operations(network: nn.Module, batches: list[Batch], proxies: list[Proxy]) -> int:
    """Of all the proxies together, with what they share done once."""
    with FlopCounterMode(display=False) as counter:
        score_all(network, batches, proxies)
    return int(counter.get_total_flops())


def operations_of_a_pass(network: nn.Module, batch: Batch) -> int:
    """Of one forward and backward pass."""
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(network(batch.images), batch.labels).backward()  # type: ignore[no-untyped-call]
    network.zero_grad()
    return int(counter.get_total_flops())
