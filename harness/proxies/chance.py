"""The baseline of chance."""

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
    """A number that has nothing to do with the network: uniform in [0, 1), drawn anew for each network and seed.

    It has to be another number for each network of a run, and the same for one network wherever and with whatever it is
    computed. The seed of the proxies' random numbers is one for all networks, but initial weights are drawn from a seed
    that hashes the architecture. So the number is a hash of the signs of the first 64 weights in the network's order;
    signs, because the last bit of a weight may depend on the processor. Networks whose first weights are not drawn, or
    drawn from one seed, share a number.
    """
    signs: list[str] = []
    for weight in probe.weights:
        missing = SIGNS - len(signs)
        signs += ["+" if positive else "-" for positive in (weight.detach().flatten()[:missing] > 0).tolist()]
    return derive_seed("random", "".join(signs)) / 2**63
