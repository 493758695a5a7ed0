"""The random baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contracts.proxy import proxy
from harness.seeds import derive_seed

if TYPE_CHECKING:
    from harness.probe import Probe

SIGNS = 64


@proxy(
    "random",
    label="Random",
    better="higher",
    data="nothing",
    cite="lin2021zen",
    source="the random baseline of the paper's comparison",
)
def random(probe: Probe) -> float:
    """Random number, independent of the network: uniform in [0, 1), one per network and seed.

    The number must differ between the networks of a run, and must be the same for one network on every machine and
    whatever else is computed. All networks share the seed of the proxies' random numbers, but their initial weights are
    drawn from a seed that hashes the architecture. So the number is a hash of the signs of the first 64 weights in the
    network's order. Only signs are used because the last bit of a weight may depend on the processor. Networks whose
    first weights are constant, or drawn from the same seed, share a number.
    """
    signs: list[str] = []
    for weight in probe.weights:
        missing = SIGNS - len(signs)
        signs += ["+" if positive else "-" for positive in (weight.detach().flatten()[:missing] > 0).tolist()]
    return derive_seed("random", "".join(signs)) / 2**63
