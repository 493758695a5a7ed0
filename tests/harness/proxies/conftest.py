"""Small networks and mini-batches that every proxy's tests share.

Networks and images are float64, so that a proxy can be compared to its formula far beyond float32's accuracy.
"""

import pytest
import torch
from harness_benchmarks.nb201.cells import CellNetwork

from harness.images import Batch
from harness.probe import Probe
from harness.testing.proxy.networks import CLASSES, OTHERS
from harness.testing.proxy.networks import CONNECTED_CELLS as CONNECTED
from harness.testing.proxy.networks import ODD_CELLS as ODD
from harness.testing.proxy.networks import OTHER_IMAGE as IMAGE

CONNECTED_CELLS = {
    "convolutions": CONNECTED["of convolutions"],
    "mixed": CONNECTED["of every kind"],
    "with a dead end": CONNECTED["with a dead end"],
}
ODD_CELLS = {
    "unconnected": ODD["unconnected"],
    "all none": ODD["of none"],
    "all skip": ODD["of skip connections"],
    "all pool": ODD["of poolings"],
}
HAND_MADE = ("linear only", "plain convolutions", "without relu modules", "grouped")


def make_network(name, seed=0):
    """The named network, float64, freshly initialised in training mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if name in OTHERS:
            network = OTHERS[name]()
        else:
            network = CellNetwork((CONNECTED_CELLS | ODD_CELLS)[name], (4, 8, 8), 1, CLASSES)
    return network.double().train()


def make_batch(seed, size=8):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, *IMAGE, generator=generator, dtype=torch.float64)
    return Batch(images, torch.randint(CLASSES, (size,), generator=generator))


@pytest.fixture(scope="session")
def batches():
    """Two mini-batches of eight images."""
    return [make_batch(1), make_batch(2)]


@pytest.fixture(params=[*CONNECTED_CELLS, *HAND_MADE])
def network(request):
    """Every connected network whose passes are deterministic, one after the other."""
    return make_network(request.param)


@pytest.fixture(params=ODD_CELLS)
def odd_network(request):
    """Cells on which a proxy may be undefined: nothing arrives, or nothing is learned."""
    return make_network(request.param)


@pytest.fixture(scope="session")
def named_network():
    """A function that makes the network of a given name and seed."""
    return make_network


@pytest.fixture
def probe(network, batches):
    return Probe(network, batches)
