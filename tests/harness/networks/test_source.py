"""A network as source computes what the network computes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import harness
from harness.errors import HarnessError
from harness.networks.source import network_of_source, source_of

SPACES = ("digits", "nats-tss", "nats-sss")


@pytest.mark.parametrize("name", SPACES)
def test_networks_of_the_spaces_are_written_exactly(name):
    space = harness.load(name)
    dataset = space.datasets[0]
    network = space.build(space.random(np.random.default_rng(0)), dataset)
    source = source_of(network, "A cell.")
    assert "harness" not in source
    made = network_of_source(source, network)
    images = torch.randn(4, *space.task(dataset).image_shape)
    assert torch.equal(network.train()(images), made.train()(images))
    assert torch.equal(network.eval()(images), made.eval()(images))


class Small(nn.Module):
    """Settings that print nothing of themselves, functions, and a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, (3, 1), stride=2, padding=(1, 0), groups=3, padding_mode="circular")
        self.norm = nn.BatchNorm2d(6, eps=1e-3, momentum=0.01)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.same = nn.Conv2d(6, 6, 1, bias=False)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x)))
        x = self.same(self.same(self.pool(x))) * torch.sigmoid(x) - x
        return self.head(torch.flatten(functional.adaptive_avg_pool2d(x, (1, 1)), 1))


def test_settings_functions_and_shared_layers_are_kept():
    network = Small()
    made = network_of_source(source_of(network, "Small."), network)
    images = torch.randn(4, 3, 9, 9)
    assert torch.equal(network(images), made(images))
    assert made.norm.momentum == 0.01
    assert len(list(made.parameters())) == len(list(network.parameters()))


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class WithTensor(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x * self.scale


class Own(nn.Conv2d):
    def forward(self, x):
        return super().forward(x) * 2


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Branching(), "cannot be written as source .* save it with torch.export instead"),
        (WithTensor(), "reads the tensor 'scale' outside its layers"),
    ],
)
def test_what_cannot_be_written_is_refused(network, message):
    with pytest.raises(HarnessError, match=message):
        source_of(network, "x")


def test_a_layer_of_another_class_is_written_by_what_it_calls_or_refused():
    network = nn.Sequential(Own(3, 3, 1))
    with pytest.raises(HarnessError):
        source_of(network, "x")
