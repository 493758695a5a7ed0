"""Small networks and mini-batches that every proxy's tests share.

Networks and images are float64, so that a proxy can be compared to its formula far beyond float32's accuracy.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.cells import CellNetwork
from harness.images import Batch
from harness.probe import Probe

CLASSES = 10
IMAGE = (3, 8, 8)

CONNECTED_CELLS = {
    "convolutions": ("nor_conv_3x3", "nor_conv_1x1", "nor_conv_3x3", "nor_conv_1x1", "nor_conv_3x3", "nor_conv_1x1"),
    "mixed": ("nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "nor_conv_1x1", "nor_conv_3x3"),
    "with a dead end": ("nor_conv_3x3", "none", "none", "nor_conv_1x1", "none", "none"),
}

ODD_CELLS = {
    "unconnected": ("nor_conv_3x3", "nor_conv_1x1", "skip_connect", "none", "none", "none"),
    "all none": ("none",) * 6,
    "all skip": ("skip_connect",) * 6,
    "all pool": ("avg_pool_3x3",) * 6,
}


class LinearOnly(nn.Sequential):
    """No convolution, no batch norm, no feature map."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(192, 12), nn.ReLU(), nn.Linear(12, CLASSES))


class PlainConvolutions(nn.Sequential):
    """Convolutions with bias, without batch norm, and ReLUs in place; offers no forward_features."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(6, 5, 3, stride=2),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, CLASSES),
        )


class FunctionalOnly(nn.Module):
    """ReLU as a function, which no hook sees."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images):
        return F.relu(self.norm(self.conv(images)))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean(dim=(2, 3)))


class Grouped(nn.Module):
    """Grouped and depthwise convolutions, called in another order than they are named in; two ReLUs read one tensor."""

    def __init__(self):
        super().__init__()
        self.last_called = nn.Conv2d(8, 6, 3, groups=2, bias=False)
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.relu_a, self.relu_b, self.relu_c = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm = nn.BatchNorm2d(6)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images):
        stem = self.stem_norm(self.stem(images))
        hidden = self.last_called(self.relu_a(stem) + self.depthwise(self.relu_b(stem)))
        return self.relu_c(self.norm(hidden))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean(dim=(2, 3)))


class WithDropout(nn.Module):
    """Every pass draws random numbers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images):
        return self.dropout(self.relu(self.norm(self.conv(images))))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean(dim=(2, 3)))


class BeginsInPlace(nn.Sequential):
    """The first operation writes into the images that it is given."""

    def __init__(self):
        super().__init__(nn.ReLU(inplace=True), nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, CLASSES))


HAND_MADE = {
    "linear only": LinearOnly,
    "plain convolutions": PlainConvolutions,
    "without relu modules": FunctionalOnly,
    "grouped": Grouped,
}

RANDOM_OR_RUDE = {"dropout": WithDropout, "begins in place": BeginsInPlace}


def make_network(name, seed=0):
    """The named network, float64, freshly initialised in training mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if name in RANDOM_OR_RUDE:
            network = RANDOM_OR_RUDE[name]()
        elif name in HAND_MADE:
            network = HAND_MADE[name]()
        else:
            network = CellNetwork((CONNECTED_CELLS | ODD_CELLS)[name], (4, 8, 8), 1, CLASSES)
    return network.double().train()


def make_batch(seed, size=8):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, *IMAGE, generator=generator, dtype=torch.float64)
    return Batch(images, torch.randint(CLASSES, (size,), generator=generator))


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums are made in one order, so that equal computations give equal bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
